using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.Server;

/// <summary>Small questions that services and health checks ask of the loop's newest state.</summary>
static class LoopQueries
{
    extension(ReplicaLoop loop)
    {
        public bool HasLeader => !loop.Status.Leader.IsNone;

        public bool IsLeader => loop.Status.Role == RaftRole.Leader;

        public bool IsLearner
        {
            get
            {
                var status = loop.Status;
                return status.Config.Learners.Contains(status.Id);
            }
        }

        public bool HasCorruptAlarm => loop.HasAlarm(AlarmType.Corrupt);

        public bool HasAlarm(AlarmType type)
        {
            var alarms = loop.View.Cluster.Alarms;
            if (alarms.IsEmpty) return false;
            foreach (var alarm in alarms)
                if (alarm.Alarm == type) return true;
            return false;
        }
    }
}
