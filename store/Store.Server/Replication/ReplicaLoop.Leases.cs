using Store.Raft;
using Store.State;

namespace Store.Server;

/// <content>
/// Leases live at the leader. A renewal there first joins a read round: only a leader that others still follow may renew, or a stalled one would renew
/// what its successor has let run out (contract 1.7). Elsewhere the question goes to the leader.
/// </content>
public sealed partial class ReplicaLoop
{
    static readonly TimeSpan LeaderRetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Renewals by the read round that they wait for.</summary>
    readonly Dictionary<ulong, List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)>> renewing = [];
    /// <summary>Expired here, but not revoked yet.</summary>
    List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)> awaitingRevoke = [];

    /// <summary>Extends the lease at the leader, wherever it is.</summary>
    public async Task<LeaseRenewal> RenewLeaseAsync(LeaseId id, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var renewal = Status.Role == RaftRole.Leader ? await RenewHereAsync(id) : await RenewAtLeaderAsync(id, cancellationToken);
            if (IsFinal(renewal.Error)) return renewal;
            if (time.GetElapsedTime(started) > options.RequestTimeout) return new(StoreError.Timeout, 0);
            await Task.Delay(LeaderRetryPause, time, cancellationToken);
        }
    }

    /// <summary>Asks the leader, wherever it is.</summary>
    public async Task<LeaseRemaining> LeaseTimeToLiveAsync(LeaseId id, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var remaining = Status.Role == RaftRole.Leader ? await TimeToLiveHereAsync(id) : await TimeToLiveAtLeaderAsync(id, cancellationToken);
            if (IsFinal(remaining.Error)) return remaining;
            if (time.GetElapsedTime(started) > options.RequestTimeout) return new(StoreError.Timeout, 0, 0, []);
            await Task.Delay(LeaderRetryPause, time, cancellationToken);
        }
    }

    /// <summary>False: somebody else leads, or will soon; worth another try.</summary>
    static bool IsFinal(StoreError error) => error is StoreError.None or StoreError.LeaseNotFound or StoreError.Stopped;

    internal Task<LeaseRenewal> RenewHereAsync(LeaseId id)
    {
        var answer = NewAnswer<LeaseRenewal>();
        inbox.Renew(id, answer);
        return answer.Task;
    }

    internal async Task<LeaseRemaining> TimeToLiveHereAsync(LeaseId id)
    {
        var confirmed = await inbox.Read();
        return confirmed == StoreError.None ? await AskAsync(replica => replica.TimeToLive(id)) : new(confirmed, 0, 0, []);
    }

    async Task<LeaseRenewal> RenewAtLeaderAsync(LeaseId id, CancellationToken cancellationToken)
    {
        var answer = await AskLeaderAsync(
            question =>
            {
                question.WriteByte((byte)PeerQuestion.RenewLease);
                question.WriteLong((ulong)id.Value);
            },
            cancellationToken);
        return answer is { } reader ? new(reader.Name<StoreError>(), (long)reader.Long()) : new(StoreError.NoLeader, 0);
    }

    async Task<LeaseRemaining> TimeToLiveAtLeaderAsync(LeaseId id, CancellationToken cancellationToken)
    {
        var answer = await AskLeaderAsync(
            question =>
            {
                question.WriteByte((byte)PeerQuestion.LeaseTimeToLive);
                question.WriteLong((ulong)id.Value);
            },
            cancellationToken);
        if (answer is not { } reader) return new(StoreError.NoLeader, 0, 0, []);
        var (error, granted, left) = (reader.Name<StoreError>(), (long)reader.Long(), (long)reader.Long());
        var keys = new ReadOnlyMemory<byte>[reader.Count(4)];
        for (var i = 0; i < keys.Length; i++) keys[i] = reader.Bytes();
        return new(error, granted, left, keys);
    }

    Task<PayloadReader?> AskLeaderAsync(Action<FrameBuffer> question, CancellationToken cancellationToken)
    {
        var leader = Status.Leader;
        if (leader.IsNone || leader == Status.Id) return Task.FromResult<PayloadReader?>(null);
        return network.AskAsync(leader, question, options.RequestTimeout, cancellationToken);
    }

    void AskToRenew(List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)> renewals)
    {
        if (!replica.IsLeader)
        {
            foreach (var (_, answer) in renewals) answer.TrySetResult(new(StoreError.NotLeader, 0));
            return;
        }
        renewing.Add(++lastReadId, [.. renewals]);
        replica.Read(lastReadId);
    }

    void AnswerRenewals(ReadReply read)
    {
        if (!renewing.Remove(read.ReadId, out var renewals)) return;
        if (read.Error == StoreError.None) Renew(renewals);
        else foreach (var (_, answer) in renewals) answer.TrySetResult(new(read.Error, 0));
    }

    /// <summary>After each new view: the revocation that these wait for may be applied by now.</summary>
    void RetryRenewals()
    {
        if (awaitingRevoke.Count == 0) return;
        var again = awaitingRevoke;
        awaitingRevoke = [];
        Renew(again);
    }

    void Renew(List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)> renewals)
    {
        foreach (var (id, answer) in renewals)
        {
            var renewal = replica.RenewLease(id);
            if (renewal.AwaitsRevoke)
            {
                awaitingRevoke.Add((id, answer));
                continue;
            }
            if (renewal.Error == StoreError.None) StoreMetrics.LeasesRenewed.Add();
            answer.TrySetResult(renewal);
        }
    }

    void FailRenewals(List<(LeaseId Id, TaskCompletionSource<LeaseRenewal> Answer)> queued)
    {
        foreach (var (_, answer) in queued.Concat(awaitingRevoke).Concat(renewing.Values.SelectMany(renewals => renewals)))
        {
            answer.TrySetResult(new(StoreError.Stopped, 0));
        }
    }
}
