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

        /// <summary>Nothing may be served from this member's state: all are stopped by a CORRUPT alarm, or this one has diverged from the others (design S13).</summary>
        public bool IsCorrupt
        {
            get
            {
                var cluster = loop.View.Cluster;
                return !cluster.Alarms.IsEmpty && (cluster.IsCorrupt || loop.HasDiverged);
            }
        }

        public bool HasDiverged => loop.View.Cluster.Diverged.Contains(loop.Status.Id);
    }
}
