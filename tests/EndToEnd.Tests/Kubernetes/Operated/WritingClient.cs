using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A client that writes one new key after the other through a Service, on a new connection after a failure, and remembers what was acknowledged.</summary>
sealed class WritingClient : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly string endpoint;
    readonly Func<SocketsHttpHandler> dial;
    readonly ConcurrentDictionary<string, long> acknowledged = new(StringComparer.Ordinal);
    readonly CancellationTokenSource stop = new();
    readonly Task writing;
    readonly Lock stalls = new();
    GrpcChannel channel;
    long lastAnswer = Stopwatch.GetTimestamp();
    TimeSpan longest;
    int failures;

    /// <param name="dial">How connections are made; in clear when absent.</param>
    public WritingClient(string endpoint, Func<SocketsHttpHandler>? dial = null)
    {
        this.endpoint = endpoint;
        this.dial = dial ?? (() => new SocketsHttpHandler());
        channel = Connect();
        writing = Task.Run(WriteAsync);
    }

    public int Acknowledged => acknowledged.Count;

    /// <summary>Writes that were not acknowledged.</summary>
    public int Failures => Volatile.Read(ref failures);

    /// <summary>What the last of them was told.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>The longest time without an acknowledged write since this was last asked.</summary>
    public TimeSpan TakeLongestStall()
    {
        lock (stalls)
        {
            var taken = longest;
            longest = TimeSpan.Zero;
            return taken;
        }
    }

    /// <summary>Every acknowledged key is there, at the revision that was promised, written once.</summary>
    public async Task RequireAllAsync()
    {
        var promised = acknowledged.ToArray();
        using var reader = Connect();
        var all = new RangeRequest { Key = ByteString.CopyFromUtf8("w/"), RangeEnd = ByteString.CopyFromUtf8("w0") };
        var answer = await new KV.KVClient(reader).RangeAsync(all, deadline: DateTime.UtcNow.AddSeconds(30));
        var found = answer.Kvs.ToDictionary(kv => kv.Key.ToStringUtf8(), kv => kv, StringComparer.Ordinal);
        foreach (var (key, revision) in promised)
        {
            Assert.True(found.TryGetValue(key, out var kv), $"{key} is lost, acknowledged at revision {revision}");
            Assert.True(kv.ModRevision == revision && kv.Version == 1, $"{key} was acknowledged at revision {revision}, and is {kv}");
        }
    }

    /// <summary>The term of the member that the Service leads to: it grows with each election.</summary>
    public async Task<ulong> TermAsync()
    {
        using var reader = Connect();
        var status = await new Maintenance.MaintenanceClient(reader).StatusAsync(new StatusRequest(), deadline: DateTime.UtcNow.AddSeconds(10));
        return status.RaftTerm;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await writing;
        channel.Dispose();
        stop.Dispose();
    }

    async Task WriteAsync()
    {
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"w/{n:D7}");
            try
            {
                var request = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(key) };
                var answer = await new KV.KVClient(channel).PutAsync(request, deadline: DateTime.UtcNow + Patience);
                acknowledged[key] = answer.Header.Revision;
                Answered();
                // Some hundred writes a second are enough to meet every moment of a change, and leave the machine to the cluster.
                await Task.Delay(TimeSpan.FromMilliseconds(5));
            }
            catch (RpcException failure)
            {
                LastFailure = failure.Message;
                Interlocked.Increment(ref failures);
                // It may have happened or not. The connection may lead to a pod that is gone without a word: a new one finds another.
                channel.Dispose();
                channel = Connect();
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    void Answered()
    {
        var now = Stopwatch.GetTimestamp();
        lock (stalls)
        {
            var since = Stopwatch.GetElapsedTime(lastAnswer, now);
            if (since > longest) longest = since;
            lastAnswer = now;
        }
    }

    GrpcChannel Connect()
    {
        var handler = dial();
        (handler.ConnectTimeout, handler.UseProxy) = (TimeSpan.FromSeconds(1), false);
        return GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = null });
    }
}
