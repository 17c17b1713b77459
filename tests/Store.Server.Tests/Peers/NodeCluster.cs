using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Store.Protocol.Etcdserverpb;
using Store.Raft;
using Store.State;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Whole members in this process, on real files and loopback sockets.</summary>
sealed class NodeCluster : IAsyncDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("store-node-").FullName;
    readonly int[] ports;
    readonly StoreNode?[] nodes;

    readonly TlsOptions? tls;
    readonly ILogger logger;

    NodeCluster(int count, TlsOptions? tls, ILogger logger)
    {
        (this.tls, this.logger) = (tls, logger);
        ports = FreePorts(count);
        nodes = new StoreNode?[count];
    }

    public StoreNode this[int i] => nodes[i] ?? throw new InvalidOperationException($"member {i} is down");

    public IEnumerable<StoreNode> Running => nodes.OfType<StoreNode>();

    /// <param name="spare">Ports kept for members that join later.</param>
    /// <param name="tls">Of the peer ports; null is in clear.</param>
    public static async Task<NodeCluster> StartAsync(int members, int spare = 0, TlsOptions? tls = null, ILogger? logger = null)
    {
        var cluster = new NodeCluster(members + spare, tls, logger ?? NullLogger.Instance);
        for (var i = 0; i < members; i++) await cluster.StartAsync(i, cluster.Options(i, Enumerable.Range(0, members)));
        return cluster;
    }

    public ServerOptions Options(int i, IEnumerable<int> initial) => new()
    {
        Name = $"m{i}",
        DataDirectory = Path.Combine(folder, $"m{i}"),
        ListenClientUrls = [],
        AdvertiseClientUrls = [$"http://127.0.0.1:{20000 + i}"],
        ListenPeerUrls = [new(Url(i))],
        InitialAdvertisePeerUrls = [Url(i)],
        InitialCluster = [.. initial.Select(n => new InitialMember($"m{n}", [Url(n)]))],
        PeerTls = tls ?? new() { FlagPrefix = "peer-" },
        HeartbeatIntervalMs = 20,
        ElectionTimeoutMs = 400,
        SnapshotCatchUpEntries = 50,
    };

    public string Url(int i) => $"{(tls is null ? "http" : "https")}://127.0.0.1:{ports[i]}";

    public async Task StartAsync(int i, ServerOptions? options = null) =>
        nodes[i] = await StoreNode.StartAsync(options ?? Options(i, Enumerable.Range(0, 1)), TimeProvider.System, logger, Cancellation);

    public async Task StopAsync(int i)
    {
        await this[i].DisposeAsync();
        nodes[i] = null;
    }

    public async Task<StoreNode> LeaderAsync()
    {
        StoreNode? leader = null;
        await UntilAsync(() => (leader = Running.FirstOrDefault(node => node.Loop.Status.Role == RaftRole.Leader)) is not null, "a member leads");
        return leader!;
    }

    /// <summary>Index of the leader, and of a follower.</summary>
    public async Task<(int Leader, int Follower)> RolesAsync()
    {
        var leader = Array.IndexOf(nodes, await LeaderAsync());
        return (leader, Enumerable.Range(0, nodes.Length).First(i => i != leader && nodes[i] is not null));
    }

    public static async Task<Reply> PutAsync(StoreNode node, string key, string value)
    {
        for (var attempt = 0; ; attempt++)
        {
            var put = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) };
            var reply = await node.Loop.ProposeAsync(new() { Put = put }, Cancellation);
            if (reply.Error is StoreError.None || attempt == 20) return reply;
            await Task.Delay(50, Cancellation);
        }
    }

    public static int Count(StoreNode node) => (int)node.Loop.View.Range(new()
    {
        Key = ByteString.CopyFrom(0),
        RangeEnd = ByteString.CopyFrom(0),
        CountOnly = true,
    }).Count;

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task UntilAsync(Func<bool> condition, string what, int seconds = 30)
    {
        for (var attempt = 0; attempt < seconds * 50; attempt++)
        {
            if (condition()) return;
            await Task.Delay(20, Cancellation);
        }
        Assert.Fail($"never happened: {what}");
    }

    /// <summary>Ports of the kernel's choice.</summary>
    static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var free = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Stop());
        return free;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Running) await node.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
