using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Clients of some members that never stop: each member has a client that keeps its connection, one that opens a new one for every two requests, and a watch that lives as
/// long as the load. Any failure of any of them is a failure of the test.
/// </summary>
sealed class SteadyLoad : IAsyncDisposable
{
    const string Prefix = "load/";
    static readonly TimeSpan StepTimeMax = TimeSpan.FromSeconds(20);

    readonly CancellationTokenSource stopping;
    readonly List<Task> workers = [];
    readonly List<Watcher> watchers = [];
    readonly long[] rounds;

    SteadyLoad(int workers, CancellationToken cancellationToken)
    {
        rounds = new long[workers];
        stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public static async Task<SteadyLoad> StartAsync(IEnumerable<MemberProcess> members, CancellationToken cancellationToken)
    {
        var asked = members.ToList();
        var load = new SteadyLoad(2 * asked.Count, cancellationToken);
        foreach (var member in asked) load.watchers.Add(await Watcher.OpenAsync(member, cancellationToken));
        foreach (var (n, member) in asked.SelectMany(member => new[] { member, member }).Index())
            load.workers.Add(Task.Run(() => load.AskAsync(n, member, keep: n % 2 == 0), cancellationToken));
        return load;
    }

    /// <summary>Until everybody has begun and ended a round since.</summary>
    public async Task EverybodyAsync()
    {
        var before = rounds.Select((_, n) => Interlocked.Read(ref rounds[n])).ToArray();
        var started = Stopwatch.GetTimestamp();
        while (before.Where((count, n) => Interlocked.Read(ref rounds[n]) < count + 2).Any())
        {
            foreach (var worker in workers.Where(worker => worker.IsFaulted)) await worker;
            Assert.True(Stopwatch.GetElapsedTime(started) < StepTimeMax, "a client has stopped asking");
            await Task.Delay(5, stopping.Token);
        }
    }

    /// <returns>Requests answered, and events seen by each watch: as many as there were writes.</returns>
    public async Task<(long Writes, long Reads, long Seen)> StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(workers);
        var total = rounds.Sum();
        foreach (var watcher in watchers) await watcher.HasSeenAsync(total);
        return (total, total, total);
    }

    async Task AskAsync(int n, MemberProcess member, bool keep)
    {
        using var kept = member.NewChannel();
        var key = ByteString.CopyFromUtf8($"{Prefix}{n}");
        while (!stopping.IsCancellationRequested)
        {
            using var fresh = keep ? null : member.NewChannel();
            var kv = new KV.KVClient(fresh ?? kept);
            var put = await kv.PutAsync(new PutRequest { Key = key }, deadline: DateTime.UtcNow.AddSeconds(10), cancellationToken: CancellationToken.None);
            var range = await kv.RangeAsync(new RangeRequest { Key = key }, deadline: DateTime.UtcNow.AddSeconds(10), cancellationToken: CancellationToken.None);
            Assert.Equal(put.Header.Revision, range.Kvs.Single().ModRevision);
            Interlocked.Increment(ref rounds[n]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var watcher in watchers) await watcher.DisposeAsync();
        stopping.Dispose();
    }

    /// <summary>One watch over all keys of the load, on a connection of its own.</summary>
    sealed class Watcher : IAsyncDisposable
    {
        readonly Grpc.Net.Client.GrpcChannel channel;
        readonly AsyncDuplexStreamingCall<WatchRequest, WatchResponse> call;
        readonly Task reading;
        long seen;

        Watcher(Grpc.Net.Client.GrpcChannel channel, AsyncDuplexStreamingCall<WatchRequest, WatchResponse> call)
        {
            (this.channel, this.call) = (channel, call);
            reading = ReadAsync();
        }

        public static async Task<Watcher> OpenAsync(MemberProcess member, CancellationToken cancellationToken)
        {
            var channel = member.NewChannel();
            var call = new Watch.WatchClient(channel).Watch(cancellationToken: CancellationToken.None);
            var create = new WatchCreateRequest { Key = ByteString.CopyFromUtf8(Prefix), RangeEnd = ByteString.CopyFromUtf8(Prefix[..^1] + "0") };
            await call.RequestStream.WriteAsync(new WatchRequest { CreateRequest = create }, cancellationToken);
            Assert.True(await call.ResponseStream.MoveNext(cancellationToken) && call.ResponseStream.Current.Created);
            return new(channel, call);
        }

        public async Task HasSeenAsync(long count)
        {
            var started = Stopwatch.GetTimestamp();
            while (Interlocked.Read(ref seen) < count && !reading.IsCompleted && Stopwatch.GetElapsedTime(started) < StepTimeMax) await Task.Delay(20);
            Assert.Equal(count, Interlocked.Read(ref seen));
            if (reading.IsCompleted) await reading;
        }

        async Task ReadAsync()
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None)) Interlocked.Add(ref seen, call.ResponseStream.Current.Events.Count);
        }

        public async ValueTask DisposeAsync()
        {
            call.Dispose();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            channel.Dispose();
        }
    }
}
