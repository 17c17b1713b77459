using System.Collections.Immutable;
using Store.Protocol.Etcdserverpb;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <content>What the log says of members that have diverged from the others (design S13): told to the operator, and to whoever reads this member's state.</content>
public sealed partial class ReplicaLoop
{
    /// <summary>Reading everything takes its time.</summary>
    static readonly TimeSpan ContentTimeout = TimeSpan.FromMinutes(10);

    ImmutableSortedSet<NodeId> diverged = [];
    CancellationTokenSource distrusted = new();

    /// <summary>Cancelled when this member's state has proved wrong: streams that tell of it must end. Another one afterwards: ask for each stream.</summary>
    internal CancellationToken Distrusted => Volatile.Read(ref distrusted).Token;

    /// <summary>
    /// At the leader: reads everything that members hold at the present revision and compares it (HashKV, contract 1.9). The running hash tells whether members have applied the
    /// same; this finds what changed on a disk afterwards, behind the back of every checksum. Elsewhere nothing.
    /// </summary>
    internal async Task CompareContentAsync(CancellationToken cancellationToken)
    {
        var (now, published) = (Status, View);
        if (now.Role != RaftRole.Leader) return;
        var comparison = new StateComparison(published.Applied);
        var own = await Task.Run(() => published.HashKv(published.Revision), cancellationToken);
        if (own.Error != StoreError.None) return;
        comparison.Tell(now.Id, own.Hash);
        var others = now.Config.Voters.Concat(now.Config.Learners).Where(member => member != now.Id).ToList();
        var answers = await Task.WhenAll(others.Select(member => HashKvOfAsync(member, published.Revision, cancellationToken)));
        for (var i = 0; i < others.Count; i++)
        {
            // Compacted in between: what is gone cannot be compared.
            if (answers[i] is { Error: StoreError.None } told && told.Compacted == own.Compacted) comparison.Tell(others[i], told.Hash);
        }

        var verdict = comparison.Judge(now.Config);
        Log.ContentCompared(logger, published.Revision.Value, comparison.Count, verdict.Diverged.Count);
        if (verdict.Diverged.Count > 0) await AskAsync(replica =>
        {
            replica.ReportDiverged(verdict.Diverged);
            return true;
        });
        if (verdict.Undecidable) await ProposeAsync(new() { Alarm = new() { Action = AlarmRequest.Types.AlarmAction.Activate, Alarm = AlarmType.Corrupt } }, cancellationToken);
    }

    /// <summary>Has the leader, wherever it is, compare what all members hold.</summary>
    internal async Task CompareContentAtLeaderAsync(CancellationToken cancellationToken)
    {
        var leader = Status.Leader;
        if (leader == Status.Id) await CompareContentAsync(cancellationToken);
        else if (!leader.IsNone) await network.AskAsync(leader, static question => question.WriteByte((byte)PeerQuestion.CompareContent), ContentTimeout, cancellationToken);
    }

    /// <summary>Of this member, once it has the revision.</summary>
    internal async Task<HashResult> HashKvAsync(Revision revision, CancellationToken cancellationToken)
    {
        var ready = await ReadIndexAsync(cancellationToken);
        if (ready != StoreError.None) return new() { Error = ready };
        var published = View;
        return await Task.Run(() => published.HashKv(revision), cancellationToken);
    }

    async Task<HashResult?> HashKvOfAsync(NodeId member, Revision revision, CancellationToken cancellationToken)
    {
        var answer = await network.AskAsync(
            member,
            question =>
            {
                question.WriteByte((byte)PeerQuestion.HashKv);
                question.WriteLong((ulong)revision.Value);
            },
            ContentTimeout,
            cancellationToken);
        if (answer is not { } reader) return null;
        return new(reader.Name<StoreError>(), (uint)reader.Long(), new((long)reader.Long()), revision, revision);
    }

    void FollowVerdicts(StateView published)
    {
        var now = published.Cluster.Diverged;
        if (ReferenceEquals(now, diverged)) return;
        var (found, healed) = (now.Except(diverged), diverged.Except(now));
        diverged = now;
        foreach (var member in found)
        {
            if (member != status.Id) Log.PeerDiverged(logger, member.ToString(), published.Applied.Value);
            else Distrust(published);
        }

        foreach (var member in healed) Log.MemberConverged(logger, member.ToString(), published.Applied.Value);
    }

    void Distrust(StateView published)
    {
        Log.Diverged(logger, status.Id.ToString(), published.Applied.Value);
        var ended = Interlocked.Exchange(ref distrusted, new());
        // On the pool: what ends is not the loop's work. The source is left to the collector, streams may still hold its token.
        _ = ended.CancelAsync();
    }
}
