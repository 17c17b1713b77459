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
    readonly World world = world;
    readonly WatchRange range = number % 3 == 0 ? WatchRange.Of("a"u8, "z"u8) : WatchRange.Of(Encoding.UTF8.GetBytes(number % 3 == 1 ? "a" : "b"), default);
    readonly WatchFilter filter = number % 4 == 3 ? WatchFilter.NoDelete : WatchFilter.None;
    readonly List<(WatchEvent Event, long Header)> seen = [];
    readonly List<(long From, long To)> gaps = [];
    long next = 1;
    long header;
    Connection? connection;

    public int EventCount => seen.Count;

    public void Start() => world.Schedule.After(world.Random.Next(1_000_000), Connect);

    public bool HasSeen(Revision revision) => next > revision.Value;

    /// <summary>To any member that runs, from where the watcher is. What the connection before still has planned comes to nothing.</summary>
    void Connect()
    {
        connection?.Close();
        connection = null;
        header = 0;
        var up = world.UpMembers.Where(member => !member.IsPaused).ToList();
        if (up.Count == 0)
        {
            world.Schedule.After(100_000, Connect);
            return;
        }
        var opened = new Connection(this, up[world.Random.Next(up.Count)]);
        connection = opened;
        opened.Open(new(range, next, 0) { Filter = filter, PrevKv = number % 2 == 0, ProgressNotify = true });
        // Changes the member now and then, as clients do that lose their connection.
        world.Schedule.After(world.Random.Next(1_000_000, 10_000_000), () =>
        {
            if (connection == opened) Connect();
        });
    }

    sealed class Connection
    {
        readonly SimWatcher watcher;
        readonly SimMember member;
        readonly WatchHub hub;
        readonly WatchStream stream;
        bool planned;

        public Connection(SimWatcher watcher, SimMember member)
        {
            (this.watcher, this.member, hub) = (watcher, member, member.Hub!);
            stream = new(hub, new() { PieceBytesMax = 200, PieceRevisionsMax = 5 }, Wake);
        }

        World World => watcher.world;

        public void Open(WatchSpec spec)
        {
            stream.Create(spec);
            Wake();
        }

        public void Close()
        {
            if (member.Hub == hub) stream.Close();
        }

        void Wake()
        {
            if (planned) return;
            planned = true;
            World.Schedule.After(World.Random.Next(World.Random.Next(10) == 0 ? 500_000 : 5_000), () =>
            {
                planned = false;
                if (watcher.connection == this) Turn();
            });
        }

        void Turn()
        {
            if (member.Hub != hub)
            {
                watcher.Connect();
                return;
            }
            if (World.Random.Next(4) == 0) stream.RequestProgress();
            if (World.Random.Next(4) == 0) stream.TickProgress();
            stream.Take();
            var answers = new List<WatchAnswer>();
            var more = stream.Pull(member.Replica.State.View.Events, answers);
            foreach (var answer in answers)
            {
                watcher.Hear(answer);
                if (answer.Kind != WatchAnswerKind.Compacted) continue;
                // The watcher is gone, and what its stream still says is no word about it.
                watcher.Connect();
                return;
            }
            if (more) Wake();
        }
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
