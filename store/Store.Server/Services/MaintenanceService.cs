using System.Diagnostics;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>etcdserverpb.Maintenance (contract 1.9).</summary>
/// <param name="size">What the engine takes on disk.</param>
sealed class MaintenanceService(ServerOptions options, MemberIdentity identity, ReplicaLoop loop, Func<EngineSize> size)
{
    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.Of("Maintenance", "Status", StatusRequest.Parser, StatusAsync),
        UnaryMethod.Of("Maintenance", "Alarm", AlarmRequest.Parser, AlarmAsync),
        UnaryMethod.Of("Maintenance", "Defragment", DefragmentRequest.Parser, DefragmentAsync),
        UnaryMethod.Of("Maintenance", "Hash", HashRequest.Parser, HashAsync),
        UnaryMethod.Of("Maintenance", "HashKV", HashKVRequest.Parser, HashKvAsync),
        UnaryMethod.Of("Maintenance", "MoveLeader", MoveLeaderRequest.Parser, MoveLeaderAsync),
        UnaryMethod.Of("Maintenance", "Downgrade", DowngradeRequest.Parser, DowngradeAsync),
    ];

    /// <summary>Answers without a quorum, and on learners.</summary>
    ValueTask<Answer> StatusAsync(StatusRequest request, Caller caller)
    {
        var (view, raft, engine) = (loop.View, loop.Status, size());
        var response = new StatusResponse
        {
            Header = Header(view, raft),
            Version = ServerVersion.Etcd,
            DbSize = engine.AllocatedBytes,
            DbSizeInUse = engine.InUseBytes,
            DbSizeQuota = Math.Max(0, options.QuotaBytes),
            Leader = raft.Leader.Value,
            RaftIndex = raft.Commit.Value,
            RaftTerm = raft.Term.Value,
            RaftAppliedIndex = view.Applied.Value,
            IsLearner = loop.IsLearner,
            StorageVersion = ServerVersion.Storage,
            DowngradeInfo = new() { Enabled = view.Cluster.DowngradeTarget.Length > 0, TargetVersion = view.Cluster.DowngradeTarget },
        };
        if (raft.Leader.IsNone) response.Errors.Add(StatusMapping.ToStatus(StoreError.NoLeader).Detail);
        foreach (var alarm in view.Cluster.Alarms) response.Errors.Add(TextOf(alarm));
        return new(Answer.Of(response));
    }

    /// <summary>As Go prints the message: without what is zero, and with a blank behind each field.</summary>
    internal static string TextOf(AlarmMember alarm) =>
        $"{(alarm.MemberID == 0 ? "" : $"memberID:{alarm.MemberID} ")}alarm:{alarm.Alarm.ToString().ToUpperInvariant()} ";

    async ValueTask<Answer> AlarmAsync(AlarmRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        if (request.Action == AlarmRequest.Types.AlarmAction.Get)
        {
            if (await loop.ReadIndexAsync(caller.Aborted) is not StoreError.None and var notReady) return notReady;
            var view = loop.View;
            var response = new AlarmResponse { Header = Header(view, loop.Status) };
            // As etcd: of all members, whichever is asked for.
            response.Alarms.Add(view.Cluster.Alarms.Where(a => request.Alarm == AlarmType.None || a.Alarm == request.Alarm));
            return Answer.Of(response);
        }

        return await loop.ProposeAsync<AlarmResponse>(new() { Alarm = request }, caller, identity, static r => r.Header ??= new());
    }

    /// <summary>The engine gives space back by itself: there is nothing to stop the world for.</summary>
    ValueTask<Answer> DefragmentAsync(DefragmentRequest request, Caller caller) => new(Answer.Of(new DefragmentResponse { Header = Header(loop.View, loop.Status) }));

    async ValueTask<Answer> HashAsync(HashRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var started = Stopwatch.GetTimestamp();
        var (view, raft) = (loop.View, loop.Status);
        var hash = await Task.Run(() => view.HashKv(default), caller.Aborted);
        StoreMetrics.HashSeconds.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        return hash.Error != StoreError.None ? hash.Error : Answer.Of(new HashResponse { Header = Header(view, raft), Hash = hash.Hash });
    }

    async ValueTask<Answer> HashKvAsync(HashKVRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var started = Stopwatch.GetTimestamp();
        var (view, raft) = (loop.View, loop.Status);
        // It walks every row: not on the connection's turn.
        var hash = await Task.Run(() => view.HashKv(new(request.Revision)), caller.Aborted);
        StoreMetrics.HashRevisionSeconds.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        return hash.Error != StoreError.None ? hash.Error : Answer.Of(new HashKVResponse
        {
            Header = Header(view, raft),
            Hash = hash.Hash,
            CompactRevision = hash.Compacted.Value,
            HashRevision = hash.HashRevision.Value,
        });
    }

    async ValueTask<Answer> MoveLeaderAsync(MoveLeaderRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var raft = loop.Status;
        if (raft.Role != RaftRole.Leader) return StoreError.NotLeader;
        var target = new NodeId(request.TargetID);
        if (!raft.Config.Voters.Contains(target)) return StoreError.BadLeaderTransferee;
        if (target != identity.MemberId && await loop.TransferLeadershipAsync(target, caller.Aborted) is not StoreError.None and var error) return error;
        return Answer.Of(new MoveLeaderResponse { Header = Header(loop.View, loop.Status) });
    }

    /// <summary>The response tells the cluster version as it was when the request was taken.</summary>
    async ValueTask<Answer> DowngradeAsync(DowngradeRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var cancel = request.Action == DowngradeRequest.Types.DowngradeAction.Cancel;
        var target = cancel ? "" : Downgrades.Normalize(request.Version);
        if (target is null) return StoreError.WrongDowngradeVersionFormat;
        if (await loop.ReadIndexAsync(caller.Aborted) is not StoreError.None and var notReady) return notReady;
        var cluster = loop.View.Cluster;
        if ((cancel ? Downgrades.CheckCancel(cluster) : Downgrades.Check(cluster, target)) is not StoreError.None and var refused) return refused;
        if (request.Action != DowngradeRequest.Types.DowngradeAction.Validate)
        {
            var command = new Command { Downgrade = new() { Version = target } };
            caller.Sign(command);
            var reply = await loop.ProposeAsync(command, CancellationToken.None);
            if (reply.Error != StoreError.None) return reply.Error;
            if (reply.Result!.Error != StoreError.None) return reply.Result.Error;
        }

        return Answer.Of(new DowngradeResponse { Header = Header(loop.View, loop.Status), Version = cluster.Version });
    }

    ResponseHeader Header(StateView view, RaftStatus raft) => identity.Header(view.Revision, raft.Term);
}
