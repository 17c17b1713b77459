using System.Text;
using Xunit;

namespace Store.State.Tests;

/// <summary>
/// Random writes, compactions, watchers and reading speeds; every watcher's stream of answers is held against the nine guarantees by
/// looking at the whole history anew for each.
/// </summary>
public sealed class WatchGuaranteeTests
{
    static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("WATCH_SEEDS"), out var seeds) ? seeds : 300;

    [Fact]
    public void The_nine_guarantees_hold_in_random_histories()
    {
        var (events, compacted, progress) = (0, 0, 0);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var run = new RandomRun(seed);
            try
            {
                run.Go();
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"seed {seed}: {e.Message}", e);
            }
            events += run.Checks.Sum(check => check.Events);
            compacted += run.Checks.Count(check => check.WasCompacted);
            progress += run.Answered;
        }
        // The walks must have gone to the places that matter.
        Assert.True(events > 100 * Seeds && compacted > Seeds / 10 && progress > Seeds, $"{events} events, {compacted} compacted, {progress} progress answers");
    }

    sealed class RandomRun
    {
        readonly Random random;
        readonly ModelHistory history;
        readonly WatchHub hub;
        readonly List<WatchClient> clients;
        readonly int[] requested;
        readonly Dictionary<(int Client, long Id), WatchSpec> specs = [];
        readonly long[] nextId;
        readonly HashSet<(int Client, long Id)> canceled = [];

        public RandomRun(int seed)
        {
            random = new(seed);
            history = new(tailRevisions: random.Next(1, 40));
            hub = new(history.Revision);
            var limits = new WatchLimits { PieceBytesMax = random.Next(1, 200), PieceRevisionsMax = random.Next(1, 20) };
            clients = [.. Enumerable.Range(0, 3).Select(_ => new WatchClient(hub, history, limits))];
            requested = new int[clients.Count];
            nextId = new long[clients.Count];
        }

        public List<WatchCheck> Checks { get; } = [];

        public int Answered { get; private set; }

        public void Go()
        {
            for (var step = 0; step < 400; step++) Step();
            // Everything that may still be waiting can be told now: starts in the future come to pass, and everybody reads.
            for (var i = 0; i < 20; i++) Write();
            hub.Publish(history.Revision, history);
            foreach (var client in clients) client.Drain();
            for (var i = 0; i < clients.Count; i++) Check(i);
        }

        void Step()
        {
            var at = random.Next(clients.Count);
            switch (random.Next(12))
            {
                case < 4:
                    Write();
                    break;
                case 4:
                    if (random.Next(8) == 0) history.Compact(new(Math.Max(history.Compacted.Value, random.NextInt64(1, history.Revision.Value + 1))));
                    break;
                case 5:
                    hub.Publish(history.Revision, history);
                    break;
                case 6:
                    Create(at);
                    break;
                case 7:
                    if (random.Next(4) == 0 && nextId[at] > 0) Cancel(at);
                    break;
                case 8:
                    RequestProgress(at);
                    break;
                case 9:
                    clients[at].TickProgress();
                    break;
                default:
                    clients[at].Turn();
                    break;
            }
        }

        void Write()
        {
            var keys = Enumerable.Range(0, 6).OrderBy(_ => random.Next()).Take(random.Next(1, 4)).Select(i => ((char)('a' + i)).ToString());
            history.Write([.. keys.Select(key => (key, random.Next(4) == 0 ? null : $"{random.Next(100)}"))]);
        }

        void Create(int at)
        {
            // The id is known here, and every request is worked off in the turn that it is given.
            var start = random.Next(4) switch
            {
                0 or 1 => 0,
                2 => random.NextInt64(1, history.Revision.Value + 1),
                _ => history.Revision.Value + random.Next(1, 8),
            };
            var spec = (random.Next(3) switch
            {
                0 => WatchClient.Key(((char)('a' + random.Next(6))).ToString(), start),
                1 => WatchClient.Range("b", "e", start),
                _ => WatchClient.Range("", "\0", start),
            }) with
            {
                Filter = (WatchFilter)random.Next(4),
                PrevKv = random.Next(2) == 0,
                ProgressNotify = random.Next(2) == 0,
            };
            specs.Add((at, nextId[at]++), spec);
            clients[at].Create(spec);
            clients[at].Turn();
        }

        void Cancel(int at)
        {
            var id = random.NextInt64(nextId[at]);
            canceled.Add((at, id));
            clients[at].Cancel(id);
        }

        void RequestProgress(int at)
        {
            clients[at].Turn();
            clients[at].RequestProgress();
            var gone = clients[at].Received.Where(answer => answer.Kind is WatchAnswerKind.Canceled or WatchAnswerKind.Compacted).Select(answer => answer.WatchId);
            if (nextId[at] > gone.Distinct().Count()) requested[at]++;
            clients[at].Turn();
        }

        void Check(int at)
        {
            var received = clients[at].Received;
            var progress = received.Count(answer => answer is { Kind: WatchAnswerKind.Progress, WatchId: WatchAnswer.NoWatcher });
            Assert.Equal(requested[at], progress);
            Answered += progress;
            for (long id = 0; id < nextId[at]; id++)
            {
                var check = new WatchCheck(specs[(at, id)], history, canceled.Contains((at, id)));
                foreach (var answer in received)
                    if (answer.WatchId == id || (answer.Kind == WatchAnswerKind.Progress && answer.WatchId == WatchAnswer.NoWatcher)) check.Add(answer);
                check.End();
                Checks.Add(check);
            }
        }
    }

    /// <summary>One watcher's answers, in order, against the history.</summary>
    sealed class WatchCheck(WatchSpec spec, ModelHistory history, bool mayBeCanceled)
    {
        readonly List<WatchEvent> got = [];
        long start = -1;
        long header;
        long bookmark;
        bool ended;

        public int Events => got.Count;

        public bool WasCompacted { get; private set; }

        public void Add(WatchAnswer answer)
        {
            if (start < 0)
            {
                if (answer.Kind == WatchAnswerKind.Progress) return;
                Assert.Equal(WatchAnswerKind.Created, answer.Kind);
                start = spec.Start == 0 ? answer.Revision.Value + 1 : spec.Start;
                header = answer.Revision.Value;
                return;
            }
            if (answer.WatchId == WatchAnswer.NoWatcher && ended) return;
            Assert.False(ended, "an answer after the end");
            Assert.True(answer.Revision.Value >= header, $"header {answer.Revision} after {header}");
            header = answer.Revision.Value;
            switch (answer.Kind)
            {
                case WatchAnswerKind.Events:
                    AddEvents(answer);
                    break;
                case WatchAnswerKind.Progress:
                    // Bookmarkable, and Reliable up to it.
                    if (spec.Start > 0) Assert.True(answer.Revision.Value >= spec.Start || spec.Start <= history.Compacted.Value, "progress before the start");
                    bookmark = answer.Revision.Value;
                    Assert.Equal(Expected(bookmark).Select(change => change.Id), got.Select(change => change.Stored.Id));
                    break;
                case WatchAnswerKind.Canceled:
                    Assert.True(mayBeCanceled);
                    ended = true;
                    break;
                case WatchAnswerKind.Compacted:
                    WasCompacted = ended = true;
                    var missed = Expected(long.MaxValue).Skip(got.Count).FirstOrDefault();
                    Assert.True(missed is null || missed.Id.Main < answer.CompactRevision || Unknowable(answer), "cancelled without need");
                    break;
            }
        }

        /// <summary>A stream overtaken by compaction cannot tell which of its watchers missed something: those older than the compaction all go.</summary>
        bool Unknowable(WatchAnswer answer) => start < answer.CompactRevision.Value;

        void AddEvents(WatchAnswer answer)
        {
            Assert.NotEmpty(answer.Events!);
            foreach (var change in answer.Events!)
            {
                var id = change.Stored.Id;
                Assert.True(got.Count == 0 || id.CompareTo(got[^1].Stored.Id) > 0, "not ordered or not unique");
                Assert.True(id.Main.Value > bookmark, "an event at or below a bookmark");
                Assert.True(id.Main.Value <= header, "a header below its event");
                Assert.True(spec.Range.Contains(change.Stored.Key.Span) && id.Main.Value >= start, "an event nobody asked for");
                CheckPrevious(change, answer);
                got.Add(change);
            }
            // Reliable, Filter, IsCreate (all as part of the same records) and Atomic: whole revisions, without holes.
            var last = answer.Events[^1].Stored.Id.Main.Value;
            Assert.Equal(Expected(last), got.Select(change => change.Stored));
        }

        void CheckPrevious(WatchEvent change, WatchAnswer answer)
        {
            Assert.Equal(spec.PrevKv, answer.WithPrevious);
            if (!spec.PrevKv || change.Previous is null)
            {
                if (spec.PrevKv) Assert.True(history.Replaced[change.Stored.Id] is null || change.Stored.Id.Main <= history.Compacted, "prev_kv is missing");
                return;
            }
            Assert.Equal(Encoding.UTF8.GetString(history.Replaced[change.Stored.Id]!), Encoding.UTF8.GetString(change.Previous.Value.Span));
        }

        public void End()
        {
            Assert.True(start >= 0, "never created");
            if (!ended) Assert.Equal(Expected(long.MaxValue).Select(change => change.Id), got.Select(change => change.Stored.Id));
        }

        IEnumerable<StoredEvent> Expected(long upTo) =>
            from change in history.All
            where change.Revision.Value >= start && change.Revision.Value <= upTo
            from stored in change.Events
            where spec.Range.Contains(stored.Key.Span)
            where !spec.Filter.HasFlag(stored.IsDelete ? WatchFilter.NoDelete : WatchFilter.NoPut)
            select stored;
    }
}
