using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Operation = Store.Protocol.Replicated.Command.OperationOneofCase;

namespace Store.State;

/// <summary>Runs one entry of the log on the writer's state and words the answer. Everything here must come out the same on every member.</summary>
sealed class CommandRunner(MvccStore store, LeaseTable leases, ClusterTable cluster, AuthRunner auth, Quota quota)
{
    readonly KeyValueWriter keys = new(store, leases);

    public ApplyResult Run(Entry entry)
    {
        if (entry.Kind == EntryKind.ConfigChange) return Change(entry);
        if (entry.Data.IsEmpty) return new(entry.Index, 0, StoreError.None, new(store.Revision), null);
        if (PutCommand.TryRead(entry.Data.Span, out var requestId, out var quotaBytes, out var put))
        {
            return End(entry.Index, requestId, quotaBytes, Put(put, quotaBytes, out var putResponse), putResponse);
        }
        var command = Command.Parser.ParseFrom(entry.Data.Span);
        var result = End(entry.Index, command.RequestId, command.QuotaBytes, Run(command, entry.Index, out var response), response);
        return command.OperationCase == Operation.TokenGrant && result.Error == StoreError.None ? result with { Token = auth.GrantOf(command, entry.Index) } : result;
    }

    ApplyResult End(LogIndex index, ulong requestId, long quotaBytes, StoreError error, IMessage? response)
    {
        store.End();
        quota.Settle(quotaBytes);
        return new(index, requestId, error, new(store.Revision), error == StoreError.None ? response : null);
    }

    StoreError Run(Command command, LogIndex index, out IMessage? response)
    {
        response = null;
        if (cluster.View.IsCorrupt && IsRefusedWhenCorrupt(command.OperationCase)) return StoreError.CorruptCluster;
        if (auth.Enabled && auth.Check(command) is not StoreError.None and var denied) return denied;
        var error = quota.Admit(CostOf(command), command.QuotaBytes);
        if (error != StoreError.None) return error;
        return command.OperationCase switch
        {
            Operation.Put => Put(PutFields.Of(command.Put), out response),
            Operation.Txn => Txn(command.Txn, out response),
            Operation.DeleteRange => DeleteRange(command.DeleteRange, out response),
            Operation.Compaction => Compact(command.Compaction, out response),
            Operation.LeaseGrant => Grant(command.LeaseGrant, out response),
            Operation.LeaseRevoke => Revoke(command.LeaseRevoke, out response),
            Operation.LeaseCheckpoint => Checkpoint(command.LeaseCheckpoint, out response),
            Operation.Alarm => Alarm(command.Alarm, out response),
            Operation.MemberAttributes => SetAttributes(command.MemberAttributes),
            Operation.ClusterVersion => SetVersion(command.ClusterVersion),
            Operation.Divergence => Judge(command.Divergence),
            Operation.Downgrade => Downgrade(command.Downgrade),
            _ when auth.TryRun(command, index, store.Revision, out error, out response) => error,
            // Skipping what a newer version wrote would part this member's state from the others' for good.
            _ => throw new InvariantException("the log holds a command of a newer version: start that version here"),
        };
    }

    StoreError Put(in PutFields request, long quotaBytes, out IMessage? response)
    {
        response = null;
        if (cluster.View.IsCorrupt) return StoreError.CorruptCluster;
        // This form of the command has no user: it was proposed when nobody had to have a name.
        if (auth.Enabled) return StoreError.UserEmpty;
        var error = quota.Admit(SpaceUsage.CostOf(request.Key.Length, request.Value.Length), quotaBytes);
        return error != StoreError.None ? error : Put(request, out response);
    }

    StoreError Put(in PutFields request, out IMessage? response)
    {
        var error = keys.Check(request);
        response = error == StoreError.None ? keys.Put(request) : null;
        return error;
    }

    StoreError Txn(TxnRequest request, out IMessage? response)
    {
        var error = keys.Txn(request, out var txnResponse);
        response = txnResponse;
        return error;
    }

    StoreError DeleteRange(DeleteRangeRequest request, out IMessage? response)
    {
        response = keys.DeleteRange(request);
        return StoreError.None;
    }

    StoreError Compact(CompactionRequest request, out IMessage? response)
    {
        response = new CompactionResponse { Header = Header() };
        return store.Compact(request.Revision);
    }

    StoreError Grant(LeaseGrantRequest request, out IMessage? response)
    {
        response = new LeaseGrantResponse { Header = Header(), ID = request.ID, TTL = request.TTL };
        var error = RequestValidation.CheckLeaseGrant(request);
        return error != StoreError.None ? error : leases.Grant(new(request.ID), request.TTL);
    }

    StoreError Revoke(LeaseRevokeRequest request, out IMessage? response)
    {
        response = null;
        var id = new LeaseId(request.ID);
        if (leases.Find(id) is not { } lease) return StoreError.LeaseNotFound;
        keys.DeleteAll(lease.AttachedKeys);
        leases.Remove(id);
        response = new LeaseRevokeResponse { Header = Responses.Header(store.Reader.Current) };
        return StoreError.None;
    }

    StoreError Checkpoint(LeaseCheckpointRequest request, out IMessage? response)
    {
        foreach (var checkpoint in request.Checkpoints) leases.Checkpoint(new(checkpoint.ID), checkpoint.RemainingTTL);
        response = new LeaseCheckpointResponse { Header = Header() };
        return StoreError.None;
    }

    StoreError Alarm(AlarmRequest request, out IMessage? response)
    {
        var answer = new AlarmResponse { Header = Header() };
        response = answer;
        var (member, type) = (new NodeId(request.MemberID), request.Alarm);
        switch (request.Action)
        {
            case AlarmRequest.Types.AlarmAction.Get:
                answer.Alarms.AddRange(cluster.View.Alarms.Where(alarm => type == AlarmType.None || alarm.Alarm == type));
                break;
            case AlarmRequest.Types.AlarmAction.Activate when type != AlarmType.None:
                // The answer names it whether it stood already or not, as etcd's does.
                cluster.Raise(member, type);
                answer.Alarms.Add(new AlarmMember { MemberID = member.Value, Alarm = type });
                break;
            case AlarmRequest.Types.AlarmAction.Deactivate when cluster.Clear(member, type):
                answer.Alarms.Add(new AlarmMember { MemberID = member.Value, Alarm = type });
                break;
        }
        if (!cluster.HasAlarm(AlarmType.Nospace)) quota.RefusedCost = 0;
        return StoreError.None;
    }

    StoreError SetAttributes(MemberAttributes attributes)
    {
        cluster.SetAttributes(attributes);
        return StoreError.None;
    }

    StoreError SetVersion(ClusterVersion version)
    {
        cluster.SetVersion(version.Version);
        return StoreError.None;
    }

    /// <summary>Checked here, too: two may have asked at once.</summary>
    StoreError Downgrade(DowngradeTarget target)
    {
        var error = target.Version.Length > 0 ? Downgrades.Check(cluster.View, target.Version) : Downgrades.CheckCancel(cluster.View);
        if (error == StoreError.None) cluster.SetDowngradeTarget(target.Version);
        return error;
    }

    StoreError Judge(Divergence verdict)
    {
        if (verdict.Healed) cluster.Converge(new(verdict.MemberId));
        else cluster.Diverge(new(verdict.MemberId));
        return StoreError.None;
    }

    /// <summary>etcd's membership answers carry no revision in their header.</summary>
    ApplyResult Change(Entry entry)
    {
        var change = ConfigChange.Decode(entry.Data);
        var context = MemberChange.Parser.ParseFrom(change.Context.Span);
        cluster.Apply(change.Kind, change.Node, context.Member);
        var response = MemberResponses.For(change.Kind, change.Node, cluster.View);
        return new(entry.Index, context.RequestId, StoreError.None, new(store.Revision), response);
    }

    ResponseHeader Header() => Responses.Header(store.Revision);

    /// <summary>A lease costs no quota of its own, but is not granted while there is no space (contract 1.9).</summary>
    static long CostOf(Command command) => command.OperationCase switch
    {
        Operation.Put => RequestValidation.QuotaCost(command.Put),
        Operation.Txn => RequestValidation.QuotaCost(command.Txn),
        Operation.LeaseGrant => 1,
        _ => 0,
    };

    static bool IsRefusedWhenCorrupt(Operation operation) =>
        operation is Operation.Put or Operation.Txn or Operation.DeleteRange or Operation.Compaction or Operation.LeaseGrant or Operation.LeaseRevoke;
}
