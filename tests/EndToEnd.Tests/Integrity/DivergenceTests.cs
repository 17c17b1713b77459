using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// One member of three holds another value than the others, and every checksum on its disk is right. It must be found, must not serve, and must be given the right state
/// without anybody's help.
/// </summary>
public sealed class DivergenceTests
{
    /// <summary>So many writes that the state's files hold the first of them: what stands in the log alone would be put right by replaying it.</summary>
    const int WritesUntilFlushed = 21_000;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_member_that_comes_to_another_state_stops_serving_and_is_rebuilt()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken);
        await WriteAsync(cluster[0], cancellationToken);
        var victim = await OtherThanLeaderAsync(cluster, cancellationToken);
        await EditAsync(victim, cancellationToken);

        using var seen = new Observer(victim);
        // Until here all have applied alike. On the victim this transaction takes the other path.
        await BranchAsync(cluster.Members.First(member => member != victim), cancellationToken);
        await HealsAsync(cluster, victim, cancellationToken);
        await seen.StopAsync();

        Assert.Contains("DataLoss: etcdserver: corrupt cluster", seen.Ranges);
        Assert.Contains(seen.Probes, probe => probe.Contains("[-]data_corruption failed: alarm activated: CORRUPT", StringComparison.Ordinal));
        Assert.Contains("it stops serving and is rebuilt from the leader", victim.Log(), StringComparison.Ordinal);
        Assert.Contains("installed snapshot", victim.Log(), StringComparison.Ordinal);
        foreach (var member in cluster.Members)
        {
            Assert.Equal("right", await ValueAsync(member, "edited", cancellationToken));
            Assert.Equal("yes", await ValueAsync(member, "branch", cancellationToken));
        }

        await AgreeAsync(cluster, cancellationToken);
    }

    [Fact]
    public async Task A_leader_that_differs_from_the_majority_hands_over_and_is_rebuilt()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken);
        await WriteAsync(cluster[0], cancellationToken);
        var victim = await OtherThanLeaderAsync(cluster, cancellationToken);
        await EditAsync(victim, cancellationToken);
        var id = (await victim.StatusAsync(cancellationToken)).Header.MemberId;
        var leader = await cluster.LeaderAsync(cancellationToken);
        await new Maintenance.MaintenanceClient(leader.Channel).MoveLeaderAsync(new MoveLeaderRequest { TargetID = id }, cancellationToken: cancellationToken);

        await BranchAsync(victim, cancellationToken);
        await HealsAsync(cluster, victim, cancellationToken);

        Assert.NotEqual(victim, await cluster.LeaderAsync(cancellationToken));
        Assert.Equal("yes", await ValueAsync(victim, "branch", cancellationToken));
        await AgreeAsync(cluster, cancellationToken);
    }

    [Theory]
    [InlineData("--corrupt-check-time=1s")]
    [InlineData("--feature-gates=InitialCorruptCheck=true")]
    [InlineData("--feature-gates=CompactHashCheck=true", "--compact-hash-check-time=1s")]
    public async Task What_changed_on_disk_is_found_by_the_checks_of_everything(params string[] flags)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken, null, flags);
        await WriteAsync(cluster[0], cancellationToken);
        var victim = await OtherThanLeaderAsync(cluster, cancellationToken);
        await EditAsync(victim, cancellationToken);
        await new KV.KVClient(cluster[0].Channel).CompactAsync(new CompactionRequest { Revision = 1000 }, cancellationToken: cancellationToken);

        await HealsAsync(cluster, victim, cancellationToken);
        Assert.Equal("right", await ValueAsync(victim, "edited", cancellationToken));
        await AgreeAsync(cluster, cancellationToken);
    }

    static async Task WriteAsync(MemberProcess member, CancellationToken cancellationToken)
    {
        var kv = new KV.KVClient(member.Channel);
        await PutAsync(kv, "edited", "right", cancellationToken);
        const int AtOnce = 250;
        for (var n = 0; n < WritesUntilFlushed; n += AtOnce)
        {
            await Task.WhenAll(Enumerable.Range(n, AtOnce).Select(i => PutAsync(kv, $"k{i % 500}", "v", cancellationToken)));
        }
    }

    static async Task PutAsync(KV.KVClient kv, string key, string value, CancellationToken cancellationToken) =>
        await kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) }, cancellationToken: cancellationToken);

    static async Task<MemberProcess> OtherThanLeaderAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        var leader = await cluster.LeaderAsync(cancellationToken);
        return cluster.Members.First(member => member != leader);
    }

    /// <summary>Stops the member, changes the value in its files, with all checksums, and starts it again.</summary>
    static async Task EditAsync(MemberProcess victim, CancellationToken cancellationToken)
    {
        await victim.StopAsync();
        OfflineState.Replace(victim.DataDirectory, "right"u8, "wrong"u8);
        victim.Start();
        await victim.WaitUntilReadyAsync(cancellationToken);
    }

    static async Task BranchAsync(MemberProcess member, CancellationToken cancellationToken)
    {
        static RequestOp Put(string value) => new() { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8("branch"), Value = ByteString.CopyFromUtf8(value) } };
        var txn = new TxnRequest
        {
            Compare = { new Compare { Key = ByteString.CopyFromUtf8("edited"), Target = Compare.Types.CompareTarget.Value, Value = ByteString.CopyFromUtf8("right") } },
            Success = { Put("yes") },
            Failure = { Put("no") },
        };
        await new KV.KVClient(member.Channel).TxnAsync(txn, cancellationToken: cancellationToken);
    }

    /// <summary>The member has said that it is wrong, and no alarm is left.</summary>
    static async Task HealsAsync(LoopbackCluster cluster, MemberProcess victim, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Patience)
        {
            await Task.Delay(100, cancellationToken);
            if (!victim.Log().Contains("agrees with the other members' again", StringComparison.Ordinal)) continue;
            var alarms = await new Maintenance.MaintenanceClient(victim.Channel).AlarmAsync(new AlarmRequest(), cancellationToken: cancellationToken);
            if (alarms.Alarms.Count == 0) return;
        }

        Assert.Fail($"{victim.Name} was not rebuilt:\n{cluster.Logs()}");
    }

    static async Task<string> ValueAsync(MemberProcess member, string key, CancellationToken cancellationToken) =>
        (await new KV.KVClient(member.Channel).RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8(key) }, cancellationToken: cancellationToken)).Kvs.Single().Value.ToStringUtf8();

    static async Task AgreeAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        var revision = (await cluster[0].StatusAsync(cancellationToken)).Header.Revision;
        var hashes = new HashSet<uint>();
        foreach (var member in cluster.Members)
        {
            await ValueAsync(member, "edited", cancellationToken);
            hashes.Add((await new Maintenance.MaintenanceClient(member.Channel).HashKVAsync(new HashKVRequest { Revision = revision }, cancellationToken: cancellationToken)).Hash);
        }

        Assert.Single(hashes);
    }

    /// <summary>Reads from the member and probes it, as fast as it answers.</summary>
    sealed class Observer : IDisposable
    {
        readonly CancellationTokenSource stopping = new();
        readonly HttpClient http = new();
        readonly Task watching;

        public Observer(MemberProcess member) => watching = Task.WhenAll(Task.Run(() => RangeAsync(member)), Task.Run(() => ProbeAsync(member)));

        public ConcurrentBag<string> Ranges { get; } = [];

        public ConcurrentBag<string> Probes { get; } = [];

        public async Task StopAsync()
        {
            await stopping.CancelAsync();
            await watching;
        }

        async Task RangeAsync(MemberProcess member)
        {
            var kv = new KV.KVClient(member.Channel);
            while (!stopping.IsCancellationRequested)
            {
                try
                {
                    await kv.RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("edited"), Serializable = true });
                }
                catch (RpcException e)
                {
                    Ranges.Add($"{e.StatusCode}: {e.Status.Detail}");
                }
            }
        }

        async Task ProbeAsync(MemberProcess member)
        {
            while (!stopping.IsCancellationRequested)
            {
                using var answer = await http.GetAsync(new Uri($"{member.ClientUrl}/readyz?verbose"));
                if (!answer.IsSuccessStatusCode) Probes.Add(await answer.Content.ReadAsStringAsync());
            }
        }

        public void Dispose()
        {
            http.Dispose();
            stopping.Dispose();
        }
    }
}
