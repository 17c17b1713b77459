using System.Net;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;

namespace Benchmarks;

/// <summary>One of the rivals: its cluster, its leader, and the workloads' state on it.</summary>
sealed class Target : IAsyncDisposable
{
    // Both get 8 GiB, so that neither stops for space in a long run.
    const string Quota = "8589934592";
    const int PutsInOneTransaction = 100;

    readonly LoopbackCluster cluster;
    readonly CompareAndSwapWorkload compareAndSwap = new();

    Target(LoopbackCluster cluster, MemberProcess leader, bool loadAll)
    {
        this.cluster = cluster;
        Leader = leader;
        Servers = [.. (loadAll ? cluster.Members : [leader]).Select(m => new IPEndPoint(IPAddress.Loopback, m.ClientPort))];
    }

    public Product Product => cluster.Product;
    public MemberProcess Leader { get; }
    public IPEndPoint[] Servers { get; }

    public static async Task<Target> StartAsync(Product product, int size, Options options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Folder);
        var members = await LoopbackCluster.StartAsync(product, size, cancellationToken, options.Folder, ["--quota-backend-bytes", Quota, .. LoopbackCluster.Warm(product)]);
        return new Target(members, await members.LeaderAsync(cancellationToken), options.LoadAll);
    }

    /// <summary>All members' CPU time so far.</summary>
    public TimeSpan Cpu() => cluster.Members.Aggregate(TimeSpan.Zero, (sum, member) => sum + member.Cpu());

    public IEnumerable<long> ResidentBytes() => cluster.Members.Select(m => m.ResidentBytes());

    public string Logs() => cluster.Logs();

    /// <summary>Fresh, except for compare-and-swap, whose revisions live as long as the cluster.</summary>
    public IWorkload Workload(string name) => name switch
    {
        "put" => new PutWorkload(),
        "cas" => compareAndSwap,
        "get" => new GetWorkload(),
        "range" => new RangeWorkload(),
        _ => throw new InvalidOperationException($"{name}: not a request workload."),
    };

    /// <summary>Writes the keys, many to a transaction.</summary>
    public async Task StoreAsync(IEnumerable<byte[]> keys, CancellationToken cancellationToken)
    {
        var kv = new KV.KVClient(Leader.Channel);
        var random = new Random(6);
        foreach (var chunk in keys.Chunk(PutsInOneTransaction))
        {
            var transaction = new TxnRequest();
            foreach (var key in chunk)
            {
                transaction.Success.Add(new RequestOp
                {
                    RequestPut = new PutRequest { Key = ByteString.CopyFrom(key), Value = ByteString.CopyFrom(Keys.Value(random)) },
                });
            }
            await kv.TxnAsync(transaction, cancellationToken: cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();
}
