using System.Text;
using Store.Protocol.Mvccpb;
using Store.State;

namespace Store.Simulation;

/// <summary>
/// A watching client: follows one range from the beginning, on one member after the other, and resumes behind what it has seen. At the end
/// what it saw must be what happened: the guarantees Bookmarkable, Ordered, Unique, Atomic, Reliable, Resumable, and previous values,
/// creations and filters as they were.
/// </summary>
sealed class SimWatcher(World world, int number)
{
    readonly WatchRange range = number % 3 == 0 ? WatchRange.Of("a"u8, "z"u8) : WatchRange.Of(Encoding.UTF8.GetBytes(number % 3 == 1 ? "a" : "b"), default);
    readonly WatchFilter filter = number % 4 == 3 ? WatchFilter.NoDelete : WatchFilter.None;
    readonly List<(WatchEvent Event, long Header)> seen = [];
    readonly List<(long From, long To)> gaps = [];
    long next = 1;
    long header;
    int connection;
    WatchStream? stream;

    public int EventCount => seen.Count;

    public void Start() => world.Schedule.After(world.Random.Next(1_000_000), Connect);

    public bool HasSeen(Revision revision) => next > revision.Value;

    void Connect()
    {
        connection++;
        header = 0;
        var up = world.UpMembers.Where(member => !member.IsPaused).ToList();
        if (up.Count == 0)
        {
            world.Schedule.After(100_000, Connect);
            return;
        }
        var member = up[world.Random.Next(up.Count)];
        var current = connection;
        stream = new(member.Hub!, new() { PieceBytesMax = 200, PieceRevisionsMax = 5 }, () => Wake(member, member.Hub!, current));
        stream.Create(new(range, next, 0) { Filter = filter, PrevKv = number % 2 == 0, ProgressNotify = true });
        Wake(member, member.Hub!, current);
        // Changes the member now and then, as clients do that lose their connection.
        world.Schedule.After(world.Random.Next(1_000_000, 10_000_000), () => Leave(member, current));
    }

    void Leave(SimMember member, int current)
    {
        if (connection != current) return;
        if (member.IsUp && member.Hub is { } hub && ReferenceEquals(hub, hubOf)) stream!.Close();
        Connect();
    }

    WatchHub? hubOf;
    bool planned;

    void Wake(SimMember member, WatchHub hub, int current)
    {
        hubOf = hub;
        if (planned) return;
        planned = true;
        world.Schedule.After(world.Random.Next(world.Random.Next(10) == 0 ? 500_000 : 5_000), () =>
        {
            planned = false;
            if (current == connection) Turn(member, hub, current);
            else if (stream is not null && hubOf is { } newer && connection > current) WakeAgain(newer);
        });
    }

    /// <summary>A plan of the connection before stood in the way of the new one's first turn.</summary>
    void WakeAgain(WatchHub hub)
    {
        if (world.Members.FirstOrDefault(candidate => candidate.Hub == hub) is { } member) Wake(member, hub, connection);
    }

    void Turn(SimMember member, WatchHub hub, int current)
    {
        if (!member.IsUp || member.Hub != hub)
        {
            Connect();
            return;
        }
        if (world.Random.Next(4) == 0) stream!.RequestProgress();
        if (world.Random.Next(4) == 0) stream!.TickProgress();
        stream!.Take();
        var answers = new List<WatchAnswer>();
        var more = stream.Pull(member.Replica.State.View.Events, answers);
        foreach (var answer in answers)
        {
            Hear(answer);
            // The watcher is gone, and what its stream still says is no word about it.
            if (answer.Kind == WatchAnswerKind.Compacted) return;
        }
        if (more) Wake(member, hub, current);
    }

    void Hear(WatchAnswer answer)
    {
        if (answer.Revision.Value < header) throw new SimulationFailureException($"watcher {number} was told revision {answer.Revision} after {header}");
        header = answer.Revision.Value;
        switch (answer.Kind)
        {
            case WatchAnswerKind.Events:
                foreach (var change in answer.Events!) seen.Add((change, header));
                next = answer.Events[^1].Stored.Id.Main.Value + 1;
                break;
            case WatchAnswerKind.Progress:
                next = Math.Max(next, header + 1);
                break;
            case WatchAnswerKind.Compacted:
                gaps.Add((next, answer.CompactRevision.Value));
                next = answer.CompactRevision.Value;
                world.Schedule.After(1, Connect);
                break;
        }
    }

    public void Check(ModelStore model)
    {
        var expected = model.Events.Where(change =>
            range.Contains(change.KeyValue.Key.Span) && change.Revision < next
            && !(change.IsDelete && filter == WatchFilter.NoDelete)
            && !gaps.Exists(gap => change.Revision >= gap.From && change.Revision < gap.To)).ToList();
        if (seen.Count != expected.Count) throw new SimulationFailureException($"watcher {number} saw {seen.Count} events up to {next}, {expected.Count} happened{FirstDifference(expected)}");
        for (var i = 0; i < seen.Count; i++)
        {
            var (change, _) = seen[i];
            var happened = expected[i];
            if (!Matches(change, happened)) throw new SimulationFailureException($"watcher {number} saw {Shown(change)}; what happened is {happened}");
        }
    }

    string FirstDifference(List<ModelEvent> expected)
    {
        for (var i = 0; i < Math.Min(seen.Count, expected.Count); i++)
        {
            if (!Matches(seen[i].Event, expected[i])) return $"; it saw {Shown(seen[i].Event)} where {expected[i]} happened; gaps {string.Join(' ', gaps)}";
        }
        return expected.Count > seen.Count ? $"; the first that is missing is {expected[seen.Count]}" : "";
    }

    static string Shown(WatchEvent change) =>
        $"{change.Stored.Id.Main}.{change.Stored.Id.Sub} {(change.Stored.IsDelete ? "delete" : change.Stored.IsCreate ? "create" : "put")} {KeyValue.Parser.ParseFrom(change.Stored.KeyValue.Span)} before {(change.Previous is { } previous ? KeyValue.Parser.ParseFrom(previous.Span) : null)}";

    static bool Matches(WatchEvent change, ModelEvent happened)
    {
        if (change.Stored.IsDelete != happened.IsDelete || !KeyValue.Parser.ParseFrom(change.Stored.KeyValue.Span).Equals(happened.KeyValue)) return false;
        if (change.Stored.IsCreate != (!happened.IsDelete && happened.Previous is null)) return false;
        // What was compacted in the meantime is not shown.
        return change.Previous is not { } previous || KeyValue.Parser.ParseFrom(previous.Span).Equals(happened.Previous);
    }
}
