using Store.Raft;

namespace Store.State;

public sealed partial class WatchStream
{
    readonly List<WatcherGroup> matched = [];
    readonly List<WatcherGroup> touched = [];

    /// <summary>
    /// Says what is to be sent next, in order. True: there is more, take another turn; false: nothing until <see cref="Wake"/>.
    /// </summary>
    /// <param name="history">Of the view as of the last <see cref="Take"/> or newer.</param>
    public bool Pull(IEventHistory history, List<WatchAnswer> answers)
    {
        answers.AddRange(notices);
        notices.Clear();
        if (next <= position) PullCurrent(history, answers);
        if (behind.Count > 0) PullBehind(history, answers);
        AnswerMarkers(answers);
        if (progressDue) NotifyProgress(answers);
        return next <= position || behind.Count > 0;
    }

    void PullCurrent(IEventHistory history, List<WatchAnswer> answers)
    {
        // Who keeps up is not cancelled because a compaction came right behind the writes: the history still has what is in memory.
        if (ReadPiece(history, next, false, answers) is { } last)
        {
            next = last.Next;
            return;
        }
        var compacted = history.Compacted;
        Invariant.Require(next < compacted);
        // The client did not read for so long that compaction has overtaken it. Which of its watchers have missed something nobody can tell any more.
        foreach (var watcher in watchers.Values.Where(watcher => !watcher.Behind && watcher.Next < compacted).ToArray()) CancelCompacted(watcher, compacted, answers);
        next = compacted;
    }

    void PullBehind(IEventHistory history, List<WatchAnswer> answers)
    {
        var compacted = history.Compacted;
        foreach (var watcher in behind.Where(watcher => watcher.Next < compacted).ToArray()) CancelCompacted(watcher, compacted, answers);
        if (behind.Count == 0) return;
        told = Max(told, position);
        var from = behind.Min(watcher => watcher.Next);
        if (from <= position)
        {
            // Null when a compaction came just now: the next turn cancels whom it concerns.
            if (ReadPiece(history, from, true, answers) is not { } last) return;
            foreach (var watcher in behind) watcher.Next = Max(watcher.Next, last.Next);
        }
        foreach (var watcher in behind.Where(watcher => watcher.Next > position)) CatchUp(watcher);
        behind.RemoveAll(watcher => !watcher.Behind);
    }

    static void CatchUp(Watcher watcher)
    {
        watcher.Behind = false;
        watcher.Group.Behind--;
    }

    /// <summary>Reads on from a revision for the watchers that keep up or for those behind. The last revision that is done; null: compacted.</summary>
    Revision? ReadPiece(IEventHistory history, Revision from, bool forBehind, List<WatchAnswer> answers)
    {
        var last = new Revision(Math.Min(position.Value, from.Value + limits.PieceRevisionsMax - 1));
        if (history.Read(from, last) is not { } changes) return null;
        var bytes = 0;
        foreach (var change in changes)
        {
            foreach (var stored in change.Events) bytes += Collect(stored, forBehind);
            if (bytes < limits.PieceBytesMax) continue;
            last = change.Revision;
            break;
        }
        foreach (var group in touched) Emit(group, history, forBehind, answers);
        touched.Clear();
        return last;
    }

    /// <summary>Gives the change to the groups that look at its key; the bytes that this will keep in memory.</summary>
    int Collect(StoredEvent stored, bool forBehind)
    {
        matched.Clear();
        groups.Match(stored.Key.Span, matched);
        var wanted = false;
        foreach (var group in matched)
        {
            if (!group.Has(forBehind)) continue;
            if (group.Found is null)
            {
                group.Found = [];
                touched.Add(group);
            }
            group.Found.Add(new(stored, null));
            wanted = true;
        }
        return wanted ? stored.KeyValue.Length : 0;
    }

    void Emit(WatcherGroup group, IEventHistory history, bool forBehind, List<WatchAnswer> answers)
    {
        var found = group.Found!;
        group.Found = null;
        AttachPrevious(group, found, history, forBehind ? history.Compacted : Revision.None);
        foreach (var watcher in group.Watchers)
        {
            if (watcher.Behind != forBehind) continue;
            var wanted = watcher.Filter == WatchFilter.None && watcher.Next <= found[0].Stored.Id.Main
                ? found
                : found.FindAll(change => watcher.Wants(change.Stored));
            if (wanted.Count == 0) continue;
            watcher.Quiet = false;
            // As etcd has it: the event's own revision when the watcher keeps up, the present one while it catches up. Both only grow.
            var revision = forBehind ? position : wanted[^1].Stored.Id.Main;
            answers.Add(new(WatchAnswerKind.Events, watcher.Id, revision)
            {
                Events = wanted,
                WithPrevious = watcher.PrevKv,
                MayFragment = watcher.Fragment,
            });
        }
    }

    /// <summary>What the events replaced; not of events up to <paramref name="compacted"/>, whether memory still has it or not (contract 1.6).</summary>
    static void AttachPrevious(WatcherGroup group, List<WatchEvent> found, IEventHistory history, Revision compacted)
    {
        if (!group.Watchers.Exists(static watcher => watcher.PrevKv)) return;
        for (var i = 0; i < found.Count; i++)
        {
            var stored = found[i].Stored;
            if (stored.IsCreate || stored.Id.Main <= compacted) continue;
            found[i] = new(stored, stored.Previous ?? history.Previous(stored));
        }
    }

    void CancelCompacted(Watcher watcher, Revision compacted, List<WatchAnswer> answers)
    {
        Drop(watcher);
        answers.Add(new(WatchAnswerKind.Compacted, watcher.Id, position) { CompactRevision = compacted });
    }

    /// <summary>Everything up to here has been said to all watchers.</summary>
    Revision Passed()
    {
        var first = next;
        foreach (var watcher in behind) first = first < watcher.Next ? first : watcher.Next;
        return Max(Revision.None, new(Math.Min(first.Value - 1, position.Value)));
    }

    void AnswerMarkers(List<WatchAnswer> answers)
    {
        if (markers.Count == 0) return;
        var passed = Passed();
        if (passed < told || startInFuture.Exists(watcher => watcher.Next > passed && watchers.ContainsKey(watcher.Id))) return;
        var answered = markers.TakeWhile(revision => revision <= passed).Count();
        for (var i = 0; i < answered; i++) answers.Add(new(WatchAnswerKind.Progress, WatchAnswer.NoWatcher, passed));
        markers.RemoveRange(0, answered);
    }

    /// <summary>A watcher that is behind, or starts in the future, has no progress to tell; it is asked again at the next tick (contract 1.6).</summary>
    void NotifyProgress(List<WatchAnswer> answers)
    {
        progressDue = false;
        foreach (var watcher in watchers.Values)
        {
            if (!watcher.ProgressNotify) continue;
            if (watcher.Quiet && !watcher.Behind && next > position && !StartsLater(watcher)) answers.Add(new(WatchAnswerKind.Progress, watcher.Id, position));
            watcher.Quiet = true;
        }
    }

    bool StartsLater(Watcher watcher) => startInFuture.Contains(watcher) && watcher.Next > position;

    static Revision Max(Revision a, Revision b) => a > b ? a : b;
}
