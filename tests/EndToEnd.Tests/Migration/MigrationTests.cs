using System.Text.Json;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>From etcd to the store and back, by snapshots, with etcd's own tools on etcd's side (contract 1.9).</summary>
public sealed class MigrationTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("migration-").FullName;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_members_of_etcd_become_three_of_the_store_and_etcd_again_with_every_revision_and_lease()
    {
        string before;
        long compacted;
        await using (var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 3, Token))
        {
            compacted = await FillAsync(etcd[0], seed: 1);
            before = await KeyspaceDump.ReadAsync(etcd[0], compacted, Token);
            await SaveAsync(etcd[0], "from-etcd");
        }

        string after;
        await using (var store = LoopbackCluster.Create(Product.Store, 3))
        {
            foreach (var member in store.Members) await RestoreAsync(store, member, "from-etcd", "--bump-revision=0");
            await StartAsync(store);
            foreach (var member in store.Members) Assert.Equal(before, await KeyspaceDump.ReadAsync(member, compacted, Token));
            compacted = await FillAsync(store[1], seed: 2);
            after = await KeyspaceDump.ReadAsync(store[1], compacted, Token);
            await SaveAsync(store[2], "from-store");
            await SameStatusAsync("from-store");
        }

        await using var back = LoopbackCluster.Create(Product.Etcd, 3);
        foreach (var member in back.Members) await RestoreAsync(back, member, "from-store");
        await StartAsync(back);
        foreach (var member in back.Members) Assert.Equal(after, await KeyspaceDump.ReadAsync(member, compacted, Token));
        // etcd goes on writing into the file that was ours.
        await FillAsync(back[0], seed: 3);
        await EtcdctlAsync(back[0], "defrag");
        await SaveAsync(back[1], "from-etcd-again");
    }

    [Fact]
    public async Task A_snapshot_is_of_one_moment_while_writes_go_on()
    {
        await using (var store = await LoopbackCluster.StartAsync(Product.Store, 1, Token))
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var writing = WritePairsAsync(store[0], enough.Token);
            for (var i = 0; i < 5; i++) await SaveAsync(store[0], $"moment-{i}");
            await enough.CancelAsync();
            Assert.True(await writing > 10);
        }
        await using var etcd = LoopbackCluster.Create(Product.Etcd, 1);
        await RestoreAsync(etcd, etcd[0], "moment-4");
        await StartAsync(etcd);
        var range = await new KV.KVClient(etcd[0].Channel).RangeAsync(new() { Key = Text("pair"), RangeEnd = Text("pais") }, cancellationToken: Token);
        Assert.Equal(2, range.Kvs.Count);
        Assert.Equal(range.Kvs[0].Value, range.Kvs[1].Value);
        Assert.Equal(range.Header.Revision, range.Kvs[0].ModRevision);
    }

    [Fact]
    public async Task By_default_a_restored_store_is_ahead_of_all_that_clients_have_seen_and_watchers_begin_anew()
    {
        long newest;
        await using (var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 1, Token))
        {
            await FillAsync(etcd[0], seed: 4);
            await SaveAsync(etcd[0], "old");
            newest = (await EtcdctlJsonAsync(etcd[0], "put", "later", "x")).GetProperty("header").GetProperty("revision").GetInt64();
        }
        await using var store = LoopbackCluster.Create(Product.Store, 1);
        await RestoreAsync(store, store[0], "old");
        await StartAsync(store);
        var header = (await EtcdctlJsonAsync(store[0], "get", "later")).GetProperty("header");
        Assert.Equal(newest - 1 + 1_000_000_000, header.GetProperty("revision").GetInt64());
        using var watch = new Watch.WatchClient(store[0].Channel).Watch(cancellationToken: Token);
        await watch.RequestStream.WriteAsync(new() { CreateRequest = new() { Key = Text("a"), StartRevision = newest } }, Token);
        while (await watch.ResponseStream.MoveNext(Token) && !watch.ResponseStream.Current.Canceled)
        {
        }
        Assert.Equal(newest - 1 + 1_000_000_000, watch.ResponseStream.Current.CompactRevision);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    string FileOf(string name) => Path.Combine(folder, name + ".db");

    /// <summary>Random puts, deletions and transactions, some on leases, some of them large, then a compaction in the middle; its revision.</summary>
    static async Task<long> FillAsync(MemberProcess member, int seed)
    {
        var random = new Random(seed);
        var kv = new KV.KVClient(member.Channel);
        var lease = await new Lease.LeaseClient(member.Channel).LeaseGrantAsync(new() { TTL = 5000 + seed }, cancellationToken: Token);
        var revision = 0L;
        for (var i = 0; i < 120; i++)
        {
            var txn = new TxnRequest();
            foreach (var key in Enumerable.Range(0, 30).OrderBy(_ => random.Next()).Take(random.Next(1, 5)))
            {
                txn.Success.Add(random.Next(4) == 0
                    ? new RequestOp { RequestDeleteRange = new() { Key = Text($"key-{key}") } }
                    : new RequestOp { RequestPut = new() { Key = Text($"key-{key}"), Value = Value(random), Lease = random.Next(5) == 0 ? lease.ID : 0 } });
            }
            revision = (await kv.TxnAsync(txn, cancellationToken: Token)).Header.Revision;
        }
        await kv.CompactAsync(new() { Revision = revision - 50, Physical = true }, cancellationToken: Token);
        return revision - 50;
    }

    static ByteString Value(Random random)
    {
        var value = new byte[random.Next(20) == 0 ? random.Next(100_000) : random.Next(200)];
        random.NextBytes(value);
        return ByteString.CopyFrom(value);
    }

    /// <summary>Two keys, always changed together; how many times they were.</summary>
    static async Task<int> WritePairsAsync(MemberProcess member, CancellationToken cancellationToken)
    {
        var kv = new KV.KVClient(member.Channel);
        for (var i = 0; ; i++)
        {
            if (cancellationToken.IsCancellationRequested) return i;
            RequestOp Put(string key) => new() { RequestPut = new() { Key = Text(key), Value = Text($"{i}") } };
            await kv.TxnAsync(new() { Success = { Put("pair-1"), Put("pair-2") } }, cancellationToken: Token);
        }
    }

    async Task SaveAsync(MemberProcess member, string name)
    {
        await EtcdctlAsync(member, "snapshot", "save", FileOf(name));
        (await Shell.RunAsync(Binaries.Etcdutl, ["snapshot", "status", FileOf(name)], null, TimeSpan.FromSeconds(60))).Succeeded();
    }

    /// <summary>etcdutl's own numbers, but for the version that 3.5 does not know.</summary>
    async Task SameStatusAsync(string name)
    {
        string[] arguments = ["snapshot", "status", FileOf(name), "-w", "json"];
        var etcdutl = JsonDocument.Parse((await Shell.RunAsync(Binaries.Etcdutl, arguments, null, TimeSpan.FromSeconds(60))).Succeeded().Output).RootElement;
        var store = JsonDocument.Parse((await Shell.RunAsync(Binaries.Store, arguments, null, TimeSpan.FromSeconds(60))).Succeeded().Output).RootElement;
        foreach (var property in etcdutl.EnumerateObject()) Assert.Equal(property.Value.GetInt64(), store.GetProperty(property.Name).GetInt64());
        Assert.Equal("3.6.0", store.GetProperty("version").GetString());
    }

    Task RestoreAsync(LoopbackCluster cluster, MemberProcess member, string name, params string[] more) => SnapshotRestore.RunAsync(cluster, member, FileOf(name), more);

    static async Task StartAsync(LoopbackCluster cluster)
    {
        foreach (var member in cluster.Members) member.Start();
        await cluster.WaitUntilReadyAsync(Token);
    }

    static async Task<string> EtcdctlAsync(MemberProcess member, params string[] arguments)
    {
        var result = await Etcdctl.RunAsync("3.5", member.Endpoint, arguments);
        Assert.True(result.ExitCode == 0, $"{result}\n{member.LogTail()}");
        return result.Output;
    }

    static async Task<JsonElement> EtcdctlJsonAsync(MemberProcess member, params string[] arguments) =>
        JsonDocument.Parse(await EtcdctlAsync(member, [.. arguments, "-w", "json"])).RootElement;

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
