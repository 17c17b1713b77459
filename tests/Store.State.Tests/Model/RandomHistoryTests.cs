using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Xunit;

namespace Store.State.Tests;

/// <summary>Random commands on the state machine and on the model; after each of them both answer alike. The seed in the message replays a failure.</summary>
public sealed class RandomHistoryTests
{
    public static TheoryData<int, long, long> Seeds
    {
        get
        {
            var data = new TheoryData<int, long, long>();
            for (var seed = 1; seed <= 60; seed++) data.Add(seed, seed % 3 == 0 ? 0 : seed % 3 == 1 ? 1500 : 64 << 20, seed % 2 == 0 ? 4000 : 16 << 20);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Every_answer_and_every_range_is_as_the_model_says(int seed, long cacheBytes, long tailBytes)
    {
        var run = new Run(seed, new() { ValueCacheBytes = cacheBytes, EventTailBytes = tailBytes }, keys: seed % 4 == 0 ? 300 : 14);
        for (var step = 0; step < 250; step++) run.Step($"seed {seed} step {step}");
    }

    sealed class Run(int seed, StateOptions options, int keys)
    {
        readonly Random random = new(seed);
        readonly ModelStore model = new();
        readonly Machine machine = new(options);
        readonly RandomRequests requests = new(new(seed + 1000), keys);
        readonly List<(StateView View, long Revision, string Dump)> old = [];

        public void Step(string where)
        {
            Change(where);
            Assert.True(model.Revision == machine.View.Revision.Value, $"{where}: revision {machine.View.Revision}, not {model.Revision}");
            Assert.Equal(model.Compacted, machine.View.Compacted.Value);
            for (var i = 0; i < 3; i++) CompareRange(requests.Range(model.Revision), where);
            if (random.Next(10) == 0) CompareEvents(where);
            if (random.Next(10) == 0) CompareOldViews(where);
            if (random.Next(10) == 0) old.Add((machine.View, model.Revision, machine.Dump()));
        }

        void Change(string where)
        {
            switch (random.Next(20))
            {
                case < 7:
                    var put = requests.Put();
                    CompareErrors(model.Put(put), machine.Run(new() { Put = put }), where);
                    break;
                case < 10:
                    var delete = requests.Delete();
                    var deleted = (DeleteRangeResponse)machine.Run(new() { DeleteRange = delete }).Response!;
                    Assert.True(model.Delete(delete) == deleted.Deleted, where);
                    break;
                case < 14:
                    Txn(where);
                    break;
                case 14:
                    var revision = random.NextInt64(model.Compacted - 1, model.Revision + 2);
                    CompareErrors(model.Compact(revision), machine.Compact(revision), where);
                    break;
                case 15 or 16:
                    machine.State.CompactSome(random.Next(1, 20));
                    break;
                case 17:
                    var granted = random.Next(1, RandomRequests.Leases + 1);
                    CompareErrors(model.Grant(granted), machine.Grant(granted), where);
                    break;
                case 18:
                    var revoked = random.Next(1, RandomRequests.Leases + 1);
                    CompareErrors(model.Revoke(revoked), machine.Revoke(revoked), where);
                    break;
                default:
                    Reopen(where);
                    break;
            }
        }

        void Txn(string where)
        {
            var txn = requests.Txn(model.Revision);
            var read = machine.View.Txn(txn);
            var error = model.Txn(txn, out var succeeded);
            var result = machine.Run(new() { Txn = txn });
            CompareErrors(error, result, where);
            if (error == StoreError.None) Assert.True(((TxnResponse)result.Response!).Succeeded == succeeded, where);
            if (read is null) return;
            Assert.True(read.Error == error, where);
            Assert.Equal(result.Response, read.Response);
        }

        void Reopen(string where)
        {
            var before = (machine.View.LiveBytes, machine.View.StateHash, machine.View.KeyCount, machine.View.HashKv(default));
            machine.Reopen();
            old.Clear();
            Assert.True(before == (machine.View.LiveBytes, machine.View.StateHash, machine.View.KeyCount, machine.View.HashKv(default)), where);
        }

        void CompareRange(RangeRequest request, string where)
        {
            var actual = machine.View.Range(request);
            var error = model.Check(request.Revision);
            Assert.True(error == actual.Error, $"{where}: {request} gave {actual.Error}, not {error}");
            Assert.Equal(model.Revision, actual.Revision.Value);
            if (error != StoreError.None) return;
            var (keyValues, more, count) = model.Range(request);
            Assert.True(keyValues.SequenceEqual(Machine.Decoded(actual)),
                $"{where}: {request}\n gave {string.Join(' ', Machine.Decoded(actual))}\n not {string.Join(' ', keyValues)}");
            Assert.True((more, count) == (actual.More, actual.Count), $"{where}: {request} gave {(actual.More, actual.Count)}, not {(more, count)}");
        }

        void CompareEvents(string where)
        {
            var from = random.NextInt64(1, model.Revision + 2);
            var events = machine.View.Events;
            if (events.Read(new(from), new(model.Revision)) is not { } read)
            {
                Assert.True(from < model.Compacted, where);
                return;
            }
            var actual = read.SelectMany(revision => revision.Events.Select(change => (revision.Revision.Value, change.IsDelete, change.IsCreate,
                Text(change.Key), KeyValue.Parser.ParseFrom(change.KeyValue.Span)))).ToList();
            var expected = model.Events.Where(change => change.Revision >= from).Select(change => (change.Revision, change.IsDelete,
                !change.IsDelete && change.Current.Version == 1, change.Key, change.Current)).ToList();
            Assert.True(expected.SequenceEqual(actual), $"{where}: from {from}\n {string.Join('\n', actual)}\n not\n {string.Join('\n', expected)}");
            ComparePrevious(from, where);
        }

        void ComparePrevious(long from, string where)
        {
            var expected = model.Events.Where(change => change.Revision >= from).Select(change => change.Previous).ToList();
            var changes = machine.View.Events.Read(new(from), new(model.Revision))!.SelectMany(revision => revision.Events).ToList();
            for (var i = 0; i < changes.Count; i++)
            {
                var previous = machine.View.Events.Previous(changes[i]);
                // What compaction may have removed may be there or not; nothing else may be there.
                if (previous is null && (expected[i] is null || changes[i].Id.Main.Value <= model.Compacted)) continue;
                Assert.True(previous is { } encoded && KeyValue.Parser.ParseFrom(encoded.Span).Equals(expected[i]), $"{where}: previous of {changes[i]}");
            }
        }

        /// <summary>A view made earlier still shows its own moment, or says that it is compacted; a read of "now" may move on to a later view.</summary>
        void CompareOldViews(string where)
        {
            foreach (var (view, revision, dump) in old)
            {
                var result = view.Range(new() { Key = Machine.Text("\0"), RangeEnd = Machine.Text("\0"), Revision = revision });
                if (result.Error == StoreError.Compacted) Assert.True(revision < model.Compacted, where);
                else Assert.Equal(dump, string.Join(' ', Machine.Decoded(result).Select(kv => $"{kv.Key.ToStringUtf8()}={kv.Value.ToStringUtf8()}")));
                Assert.Equal(StoreError.None, view.Range(new() { Key = Machine.Text("\0"), RangeEnd = Machine.Text("\0") }).Error);
            }
        }

        static void CompareErrors(StoreError expected, ApplyResult actual, string where) =>
            Assert.True(expected == actual.Error && (expected == StoreError.None) == (actual.Response is not null), $"{where}: {actual.Error}, not {expected}");

        static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);
    }
}
