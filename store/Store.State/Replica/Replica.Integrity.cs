using System.Collections.Immutable;
using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <content>
/// Members compare their states while they run, and one that differs is rebuilt from the leader (design S13):
/// <list type="number">
/// <item>Every second the leader asks all others for the running hash at the index that it has applied itself. Who is not that far answers when it is.</item>
/// <item>Whoever differs from a majority of the voters gets a CORRUPT alarm in its name, through the log. Applying it, that member stops applying and serving.</item>
/// <item>A leader that finds itself in the minority hands over.</item>
/// <item>The member asks the leader for its state, takes it in although its log needs no snapshot, and goes on from there.</item>
/// <item>The next comparison finds that it agrees, and the leader clears the alarm.</item>
/// </list>
/// </content>
public sealed partial class Replica
{
    const long ComparisonMilliseconds = 1_000;
    /// <summary>A member that has not answered by then will not: its hashes do not reach back so far.</summary>
    const long ComparisonMillisecondsMax = 10_000;
    const long StateRequestMilliseconds = 2_000;
    /// <summary>A rebuilt member that is still not found to agree is rebuilt again.</summary>
    const long RebuildAgainMilliseconds = 30_000;

    readonly List<Message> integrityMessages = [];
    readonly List<NodeId> statesWanted = [];
    StateComparison? comparison;
    /// <summary>Whom this comparison has already been proposed for.</summary>
    readonly HashSet<NodeId> judged = [];
    long comparisonStartTick;
    long nextComparisonTick;
    /// <summary>What the leader wants to know and this member is not far enough for.</summary>
    Message.HashQuestion? unanswered;

    ImmutableSortedSet<NodeId> diverged = [];
    /// <summary>Verdicts changed here: what was compared before says nothing of who has healed.</summary>
    LogIndex verdictIndex;
    /// <summary>The state here has proved wrong: nothing is applied to it until the leader's has taken its place.</summary>
    bool rebuilding;
    long nextStateRequestTick;
    long rebuildAgainTick;

    bool MayApply => restoring is null && !rebuilding;

    /// <summary>Proposes the verdict that members hold other data than the majority. For comparisons that are made outside, by reading everything.</summary>
    public void ReportDiverged(IReadOnlyList<NodeId> members)
    {
        foreach (var member in members.Where(member => !diverged.Contains(member))) ProposeAsLeader(new() { Divergence = new() { MemberId = member.Value } });
    }

    /// <summary>False: it is for the core.</summary>
    bool TakeIntegrityMessage(Message message)
    {
        switch (message)
        {
            case Message.HashQuestion question when question.To == self:
                Answer(question);
                return true;
            case Message.HashAnswer answer when answer.To == self:
                if (!IsLeader || comparison?.Index != answer.Index) return true;
                comparison.Tell(answer.From, answer.Hash);
                Judge(comparison);
                return true;
            case Message.StateRequest request when request.To == self:
                // Behind what the asker has applied, the state could not take the place of its own.
                if (IsLeader && !diverged.Contains(self) && state.Applied >= request.Applied && state.Config.Contains(request.From)) statesWanted.Add(request.From);
                return true;
            case Message.InstallSnapshot install when rebuilding && restoring is null && install.To == self:
                raft.ReplaceState(install);
                return true;
            default:
                return false;
        }
    }

    void Answer(Message.HashQuestion question)
    {
        if (!MayApply || question.Index > state.Applied) unanswered = question;
        else if (state.HashAt(question.Index) is { } hash) integrityMessages.Add(new Message.HashAnswer(self, question.From, raft.CurrentTerm, question.Index, hash));
    }

    /// <summary>After each apply, and when the state was replaced.</summary>
    void FollowVerdicts()
    {
        if (unanswered is { } question && MayApply && question.Index <= state.Applied)
        {
            unanswered = null;
            Answer(question);
        }

        var known = state.View.Cluster.Diverged;
        if (ReferenceEquals(known, diverged)) return;
        var wasDiverged = diverged.Contains(self);
        (diverged, verdictIndex, comparison) = (known, state.Applied, null);
        if (diverged.Contains(self) && !wasDiverged) Rebuild();
    }

    void Rebuild()
    {
        rebuilding = true;
        nextStateRequestTick = now;
        reads.FailAll(StoreError.CorruptCluster, readReplies);
    }

    /// <summary>Whatever takes the place of the state comes from a leader.</summary>
    void Rebuilt()
    {
        (rebuilding, diverged, verdictIndex, comparison) = (false, state.View.Cluster.Diverged, state.Applied, null);
        rebuildAgainTick = now + options.Ticks(RebuildAgainMilliseconds);
        FollowVerdicts();
    }

    void IntegrityTick()
    {
        if (diverged.IsEmpty || !diverged.Contains(self) || restoring is not null) return;
        if (!rebuilding && now >= rebuildAgainTick) Rebuild();
        if (!rebuilding || now < nextStateRequestTick || leader.IsNone || IsLeader) return;
        nextStateRequestTick = now + options.Ticks(StateRequestMilliseconds);
        integrityMessages.Add(new Message.StateRequest(self, leader, raft.CurrentTerm, state.Applied));
    }

    /// <summary>On the leader, now and then. False: it must not lead, and has begun to hand over.</summary>
    bool CompareStates()
    {
        if (diverged.Contains(self))
        {
            HandOver();
            return false;
        }

        if (now < nextComparisonTick) return true;
        nextComparisonTick = now + options.Ticks(ComparisonMilliseconds);
        List<NodeId> others = [.. state.Config.Voters.Concat(state.Config.Learners).Where(member => member != self)];
        if (others.Count == 0) return true;
        if (comparison is null || others.TrueForAll(comparison.HasTold) || now - comparisonStartTick > options.Ticks(ComparisonMillisecondsMax)) Begin();
        foreach (var member in others.Where(member => !comparison!.HasTold(member)))
        {
            integrityMessages.Add(new Message.HashQuestion(self, member, raft.CurrentTerm, comparison!.Index));
        }

        return true;
    }

    void Begin()
    {
        (comparison, comparisonStartTick) = (new(state.Applied), now);
        judged.Clear();
        comparison.Tell(self, state.HashAt(state.Applied)!.Value);
    }

    void Judge(StateComparison compared)
    {
        var verdict = compared.Judge(state.Config);
        foreach (var member in verdict.Diverged.Where(member => !diverged.Contains(member) && judged.Add(member)))
        {
            ProposeAsLeader(new() { Divergence = new() { MemberId = member.Value } });
        }

        if (diverged.Count > 0 && compared.Index >= verdictIndex)
        {
            foreach (var member in verdict.Agreed.Where(member => diverged.Contains(member) && judged.Add(member)))
            {
                ProposeAsLeader(new() { Divergence = new() { MemberId = member.Value, Healed = true } });
            }
        }

        // As etcd: nobody can tell who is right, so nobody may go on.
        if (verdict.Undecidable && !state.View.Cluster.IsCorrupt && judged.Add(NodeId.None))
        {
            ProposeAsLeader(new() { Alarm = new() { Action = AlarmRequest.Types.AlarmAction.Activate, Alarm = AlarmType.Corrupt } });
        }
    }
}
