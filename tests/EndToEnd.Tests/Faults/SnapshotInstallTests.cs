using System.Globalization;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A follower that is so far behind that it needs the whole state, killed again and again while it takes it in; and the log that made the snapshot necessary, which stays small.</summary>
public sealed class SnapshotInstallTests(ITestOutputHelper output)
{
    const int Kills = 9;

    /// <summary>140 MB a round: the log is cut once the engine is flushed, and a change of 64 MiB in what lives brings that about, wherever compaction has left it.</summary>
    const int Keys = 1_400;
    const int ValueBytes = 100_000;

    [Fact]
    public async Task A_follower_killed_again_and_again_while_it_installs_a_snapshot_comes_back_and_agrees()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        // So few entries are kept that the follower cannot catch up from the log.
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken, null, "--snapshot-catchup-entries=50");
        var leader = await cluster.LeaderAsync(cancellationToken);
        var follower = cluster.Members.First(member => member != leader);
        var random = new Random(7);
        var round = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            follower.Kill();
            await FillAsync(leader, ++round, cancellationToken);
            // While it is on its way, when it has arrived whole, and when it is in use.
            var (member, words) = (kill % 3) switch
            {
                0 => (leader, "sending snapshot"),
                1 => (follower, "received snapshot"),
                _ => (follower, "installed snapshot"),
            };
            var before = Count(member, words);
            follower.Start();
            await AwaitWordsAsync(member, words, before, cancellationToken);
            var later = random.Next(0, 120);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"killed {later} ms after \"{words}\""));
            await Task.Delay(later, cancellationToken);
        }

        follower.Kill();
        follower.Start();
        await follower.WaitUntilReadyAsync(cancellationToken);
        await AgreeAsync(cluster, cancellationToken);
    }

    [Fact]
    public async Task The_log_stays_small_under_load_and_a_restart_replays_little()
    {
        const long LogBytesMax = 512L << 20;
        const int EntriesReplayedMax = 45_000;
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        var kv = new KV.KVClient(cluster[0].Channel);
        var largest = 0L;
        var value = ByteString.CopyFrom(new byte[10_000]);
        // 1.2 GB through the log, over and over the same keys.
        for (var n = 0; n < 120_000; n += 500)
        {
            await Task.WhenAll(Enumerable.Range(n, 500).Select(i => kv.PutAsync(new PutRequest { Key = Key(i % 1000), Value = value }, cancellationToken: cancellationToken).ResponseAsync));
            if (n % 10_000 == 0)
            {
                await kv.CompactAsync(new CompactionRequest { Revision = n + 1 }, cancellationToken: cancellationToken);
                largest = Math.Max(largest, WalBytes(cluster[0]));
            }
        }

        cluster[0].Kill();
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancellationToken);
        var booted = cluster[0].Log().Split('\n').Last(line => line.Contains("booted member", StringComparison.Ordinal));
        var (applied, last) = (Number(booted, "applied"), Number(booted, "last-index"));
        output.WriteLine($"log at most {largest >> 20} MiB; the restart replayed {last - applied} entries of {last}");
        Assert.True(largest < LogBytesMax, $"the log grew to {largest >> 20} MiB");
        Assert.True(last - applied < EntriesReplayedMax, $"a restart replays {last - applied} entries");
    }

    static ByteString Key(int number) => ByteString.CopyFromUtf8($"k{number}");

    static async Task FillAsync(MemberProcess leader, int round, CancellationToken cancellationToken)
    {
        var kv = new KV.KVClient(leader.Channel);
        var value = new byte[ValueBytes];
        new Random(round).NextBytes(value);
        for (var n = 0; n < Keys; n += 50)
            await Task.WhenAll(Enumerable.Range(n, 50).Select(i => kv.PutAsync(new PutRequest { Key = Key(i), Value = ByteString.CopyFrom(value) }, cancellationToken: cancellationToken).ResponseAsync));
        await kv.CompactAsync(new CompactionRequest { Revision = (long)round * Keys }, cancellationToken: cancellationToken);
    }

    static async Task AwaitWordsAsync(MemberProcess member, string words, int before, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 4_000; attempt++)
        {
            if (Count(member, words) > before)
                return;
            await Task.Delay(5, cancellationToken);
        }
        throw new TimeoutException($"{member.Name} does not say \"{words}\":\n{member.LogTail()}");
    }

    static int Count(MemberProcess member, string text) => member.Log().Split(text).Length - 1;

    static long WalBytes(MemberProcess member) =>
        new DirectoryInfo(Path.Combine(member.DataDirectory, "member", "wal")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    static long Number(string line, string field)
    {
        var from = line.IndexOf($"\"{field}\":", StringComparison.Ordinal) + field.Length + 3;
        return long.Parse(line[from..].TakeWhile(char.IsAsciiDigit).ToArray(), CultureInfo.InvariantCulture);
    }

    static async Task AgreeAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        var revision = (await cluster[0].StatusAsync(cancellationToken)).Header.Revision;
        var hashes = new HashSet<uint>();
        foreach (var member in cluster.Members)
        {
            await new KV.KVClient(member.Channel).RangeAsync(new RangeRequest { Key = Key(0) }, cancellationToken: cancellationToken);
            hashes.Add((await new Maintenance.MaintenanceClient(member.Channel).HashKVAsync(new HashKVRequest { Revision = revision }, cancellationToken: cancellationToken)).Hash);
        }
        Assert.Single(hashes);
    }
}
