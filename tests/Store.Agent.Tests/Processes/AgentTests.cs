using System.Globalization;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>Real members, real agents, a folder, and `store snapshot restore`.</summary>
public sealed class AgentTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-test-");

    string Location => Path.Combine(folder.FullName, "backups");

    string Scratch(int n = 0) => Path.Combine(folder.FullName, $"scratch-{n}");

    [Fact]
    public async Task A_cluster_comes_back_from_its_backups_at_the_latest_revision_and_at_an_earlier_one()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var keyFile = Path.Combine(folder.FullName, "key");
        File.WriteAllText(keyFile, new string('7', 64));
        var (last, earlier) = (0L, 0L);
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled))
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), $"--encryption-key-file={keyFile}", "--drill-interval=1s"))
        {
            for (var round = 0; round < 3; round++)
            {
                for (var i = 0; i < 20; i++) last = await PutAsync(cluster[0], $"key-{i}", $"{round}", cancelled);
                await agent.WaitForRevisionAsync(last, cancelled);
                if (round == 1) earlier = last;
            }
            var status = await agent.WaitAsync("a drill passed", status => status.TryGetProperty("lastDrill", out _), cancelled);
            Assert.False(status.GetProperty("lastDrill").TryGetProperty("problem", out var problem), problem.ToString());
            Assert.True(status.GetProperty("lastDrill").GetProperty("hashCompared").GetBoolean());
            Assert.True(status.GetProperty("turn").GetBoolean());
            var metrics = (await agent.GetAsync("/metrics", cancelled)).Split('\n').Where(line => line.StartsWith("store_backup_recoverable_revision", StringComparison.Ordinal));
            Assert.Equal($"store_backup_recoverable_revision{{}} {last}", string.Join(' ', Assert.Single(metrics).Split(' ').Take(2)));
            Assert.Equal("{\"health\":\"true\"}", await agent.GetAsync("/health", cancelled));
        }

        Assert.Equal(("2", last + 1_000_000_000), await ReadRestoredAsync("key-7", cancelled, $"--encryption-key-file={keyFile}"));
        Assert.Equal(("1", earlier), await ReadRestoredAsync("key-7", cancelled, $"--encryption-key-file={keyFile}", $"--to-revision={earlier}", "--bump-revision=0"));
        var refused = await RestoreAsync(LoopbackCluster.Create(Product.Store, 1));
        Assert.Contains("give its key with --encryption-key-file", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>As a pod that is restarted more often than drills are due.</summary>
    [Fact]
    public async Task The_last_drill_outlives_the_agent_that_held_it()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await PutAsync(cluster[0], "a", "1", cancelled);
        string At(System.Text.Json.JsonElement status) => status.GetProperty("lastDrill").GetProperty("at").GetString()!;
        string held;
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--drill-interval=1s"))
            held = At(await agent.WaitAsync("a drill", status => status.TryGetProperty("lastDrill", out _), cancelled));
        await using (var next = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--drill-interval=1h"))
        {
            var known = At(await next.WaitAsync("the drill is known", status => status.TryGetProperty("lastDrill", out _), cancelled));
            // The first agent may have held another one before it was killed.
            Assert.True(string.CompareOrdinal(known, held) >= 0);
            Assert.DoesNotContain("a drill succeeded", next.Log, StringComparison.Ordinal);
        }
    }

    /// <summary>As a Secret that is mounted late: an agent that ended instead would take its member's pod out of service.</summary>
    [Fact]
    public async Task A_key_that_comes_late_or_is_set_right_is_taken_up_without_a_restart()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var keyFile = Path.Combine(folder.FullName, "late-key");
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), $"--encryption-key-file={keyFile}");
        Task<System.Text.Json.JsonElement> SaysAsync(string words) => agent.WaitAsync(
            words, status => status.TryGetProperty("lastFailure", out var failure) && failure.GetProperty("failure").GetString() == "Misconfigured" && failure.GetProperty("message").GetString()!.Contains(words, StringComparison.Ordinal), cancelled);
        await SaysAsync("cannot be read");
        Assert.Equal("{\"health\":\"true\"}", await agent.GetAsync("/health", cancelled));
        File.WriteAllText(keyFile, "too short");
        await SaysAsync("an encryption key is 32 bytes");
        File.WriteAllText(keyFile, new string('7', 64));
        await agent.WaitForRevisionAsync(await PutAsync(cluster[0], "a", "1", cancelled), cancelled);
    }

    [Fact]
    public async Task A_full_backup_is_taken_when_it_is_asked_for_once_and_not_for_strangers()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var passwordFile = Path.Combine(folder.FullName, "password");
        File.WriteAllText(passwordFile, "secret");
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--user=root", $"--password-file={passwordFile}");
        string? Full(System.Text.Json.JsonElement status) => status.TryGetProperty("lastFull", out var full) ? full.GetProperty("id").GetString() : null;
        var first = Full(await agent.WaitAsync("a full backup", status => Full(status) is not null, cancelled))!;
        string Proof(string password) => Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(System.Text.Encoding.UTF8.GetBytes(password), System.Text.Encoding.UTF8.GetBytes($"full after {first}")));
        Assert.Equal(401, await agent.PostAsync($"/full?after={first}", null, cancelled));
        Assert.Equal(401, await agent.PostAsync($"/full?after={first}", $"HMAC {Proof("guess")}", cancelled));
        for (var again = 0; again < 3; again++) Assert.Equal(202, await agent.PostAsync($"/full?after={first}", $"HMAC {Proof("secret")}", cancelled));
        var second = Full(await agent.WaitAsync("another one", status => Full(status) is { } id && id != first, cancelled));
        Assert.Equal(202, await agent.PostAsync($"/full?after={first}", $"HMAC {Proof("secret")}", cancelled));
        await agent.WaitForRevisionAsync(await PutAsync(cluster[0], "a", "1", cancelled), cancelled);
        var status = await agent.StatusAsync(cancelled);
        Assert.Equal((second, 2), (Full(status), status.GetProperty("fulls").GetInt32()));
    }

    /// <summary>As the container of a pod that is killed and started again.</summary>
    [Fact]
    public async Task A_restore_that_is_asked_for_once_starts_over_where_it_was_interrupted_and_leaves_alone_what_is_done()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled))
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch()))
            await agent.WaitForRevisionAsync(await PutAsync(cluster[0], "a", "1", cancelled), cancelled);

        await using var restored = LoopbackCluster.Create(Product.Store, 1);
        string[] once = ["--once", $"--scratch-dir={Scratch(1)}"];
        Directory.CreateDirectory(Path.Combine(Scratch(1), "restore-left"));
        Assert.Contains("restored ", (await RestoreAsync(restored, once)).Succeeded().Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Scratch(1)));
        Assert.Contains("already", (await RestoreAsync(restored, once)).Succeeded().Output, StringComparison.Ordinal);
        // The identity is written last: without it, it was interrupted.
        File.Delete(Path.Combine(restored[0].DataDirectory, "member", "identity"));
        Assert.Contains("restored ", (await RestoreAsync(restored, once)).Succeeded().Output, StringComparison.Ordinal);
        var other = await RestoreAsync(restored, [.. once, "--initial-cluster-token=another"]);
        Assert.Contains("this holds the data of", other.Error, StringComparison.Ordinal);
        restored[0].Start();
        await restored[0].WaitUntilReadyAsync(cancelled);
        var found = await new KV.KVClient(restored[0].Channel).RangeAsync(new() { Key = ByteString.CopyFromUtf8("a") }, cancellationToken: cancelled);
        Assert.Equal("1", Assert.Single(found.Kvs).Value.ToStringUtf8());
    }

    [Fact]
    public async Task Of_three_agents_one_takes_the_backups_and_another_goes_on_when_it_is_gone()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancelled);
        var agents = cluster.Members.Select((member, n) => new AgentUnderTest(member.ClientUrl, Location, Scratch(n))).ToList();
        try
        {
            var last = await PutAsync(cluster[0], "a", "1", cancelled);
            foreach (var agent in agents) await agent.WaitForRevisionAsync(last, cancelled);
            var turns = await Task.WhenAll(agents.Select(async agent => (await agent.StatusAsync(cancelled)).GetProperty("turn").GetBoolean()));
            var first = Array.IndexOf(turns, true);
            Assert.Single(turns, true);
            Assert.NotEqual(await cluster.LeaderAsync(cancelled), cluster[first]);

            agents[first].Kill();
            last = await PutAsync(cluster[0], "a", "2", cancelled);
            foreach (var agent in agents.Where(agent => agent.IsRunning)) await agent.WaitForRevisionAsync(last, cancelled);
        }
        finally
        {
            foreach (var agent in agents) await agent.DisposeAsync();
        }
    }

    /// <summary>A store of a terabyte takes long to store and to verify: the writes of that time are as safe as others the moment that it is done.</summary>
    [Fact]
    public async Task What_was_written_while_the_first_full_backup_was_stored_can_be_restored_as_soon_as_it_is_there()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        for (var i = 0; i < 100; i++) await PutAsync(cluster[0], $"large-{i}", new string('x', 10_000), cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--full-rate-limit=500000");
        await agent.WaitAsync("deltas are listed", status => status.GetProperty("deltas").GetInt32() > 1, cancelled, async () => await PutAsync(cluster[0], "key", "value", cancelled));
        var early = await agent.StatusAsync(cancelled);
        Assert.Equal((0, 0L, false), (early.GetProperty("fulls").GetInt32(), early.GetProperty("recoverableRevision").GetInt64(), early.TryGetProperty("recoverableTo", out _)));
        Assert.All(agent.Niceness(), nice => Assert.Equal(10, nice));

        var written = await PutAsync(cluster[0], "key", "last", cancelled);
        var there = await agent.WaitAsync("the full backup is there", status => status.GetProperty("fulls").GetInt32() > 0, cancelled);
        Assert.True(there.GetProperty("lastFull").GetProperty("revision").GetInt64() < written);
        Assert.Equal(written, there.GetProperty("recoverableRevision").GetInt64());
        Assert.Equal("last", (await ReadRestoredAsync("key", cancelled)).Value);
    }

    /// <summary>kill -9 at moments of chance; a crash at every single step is played in CrashTests.</summary>
    [Fact]
    public async Task Killing_agent_and_member_at_any_moment_loses_no_listed_backup()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        var written = 0L;
        for (var round = 0; round < 6; round++)
        {
            await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--full-interval=1s", "--garbage-grace=1s"))
            {
                for (var until = DateTime.UtcNow.AddMilliseconds(random.Next(800, 2500)); DateTime.UtcNow < until;)
                    written = await PutAsync(cluster[0], $"key-{random.Next(50)}", random.Next().ToString(CultureInfo.InvariantCulture), cancelled);
                if (round % 2 == 1) cluster[0].Kill();
                agent.Kill();
            }
            if (cluster[0].IsRunning) continue;
            cluster[0].Start();
            await cluster[0].WaitUntilReadyAsync(cancelled);
        }

        using var target = new DirectoryTarget(Location);
        var listed = await new BackupCatalogue(target, null).ReadAsync("", cancelled);
        Assert.Empty(listed.Unusable);
        foreach (var manifest in listed.Backups.Where(backup => backup.IsFull || RecoveryPlan.Find(listed.Backups, new RecoveryTarget.Revision(backup.To), out _) is not null))
        {
            Assert.NotNull(RecoveryPlan.Find(listed.Backups, new RecoveryTarget.Revision(manifest.To), out _));
            var path = Path.Combine(folder.FullName, "read");
            await new BackupReader(target, null).ReadAsync(manifest, path, cancelled);
        }

        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch(), "--garbage-grace=1s"))
        {
            await agent.WaitForRevisionAsync(written, cancelled);
            await agent.WaitAsync("garbage is gone", _ => Orphans() == 0, cancelled);
        }
        Assert.Empty(Directory.EnumerateFiles(Scratch()));
        Assert.NotEqual("", (await ReadRestoredAsync("key-7", cancelled)).Value);
    }

    [Fact]
    public async Task A_cluster_that_was_put_back_is_not_gone_on_from()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        var snapshot = Path.Combine(folder.FullName, "snapshot.db");
        long last;
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch()))
        {
            await PutAsync(cluster[0], "a", "1", cancelled);
            (await Shell.RunAsync(Binaries.Etcdctl, ["--endpoints", cluster[0].Endpoint, "snapshot", "save", snapshot], null, TimeSpan.FromSeconds(60), cancellationToken: cancelled)).Succeeded();
            last = await PutAsync(cluster[0], "a", "2", cancelled);
            await agent.WaitForRevisionAsync(last, cancelled);
        }

        // The same cluster id, and soon the same revision with something else in it.
        cluster[0].Kill();
        Directory.Delete(cluster[0].DataDirectory, recursive: true);
        (await Shell.RunAsync(
            Binaries.Store,
            [
                "snapshot", "restore", snapshot, "--data-dir", cluster[0].DataDirectory, "--name", cluster[0].Name, "--initial-cluster", cluster.InitialCluster,
                "--initial-cluster-token", cluster.Token, "--initial-advertise-peer-urls", cluster[0].PeerUrl, "--bump-revision=0",
            ], null, TimeSpan.FromSeconds(60), cancellationToken: cancelled)).Succeeded();
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancelled);
        Assert.Equal(last, await PutAsync(cluster[0], "b", "other", cancelled));
        last = await PutAsync(cluster[0], "b", "another", cancelled);
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Scratch()))
        {
            await agent.WaitForRevisionAsync(last, cancelled);
            Assert.Contains("does not go on from the last backup", agent.Log, StringComparison.Ordinal);
        }
        Assert.Equal("another", (await ReadRestoredAsync("b", cancelled)).Value);
    }

    public void Dispose() => folder.Delete(recursive: true);

    int Orphans()
    {
        var objects = Directory.EnumerateFiles(Location, "*", SearchOption.AllDirectories).Select(file => new StoredObject(Path.GetRelativePath(Location, file), 0, DateTimeOffset.MinValue)).ToList();
        return BackupCatalogue.Orphans(objects, DateTimeOffset.MaxValue).Count;
    }

    static async Task<long> PutAsync(MemberProcess member, string key, string value, CancellationToken cancelled) =>
        (await new KV.KVClient(member.Channel).PutAsync(new() { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) }, cancellationToken: cancelled)).Header.Revision;

    async Task<(string Value, long Revision)> ReadRestoredAsync(string key, CancellationToken cancelled, params string[] flags)
    {
        await using var cluster = LoopbackCluster.Create(Product.Store, 1);
        (await RestoreAsync(cluster, flags)).Succeeded();
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancelled);
        var found = await new KV.KVClient(cluster[0].Channel).RangeAsync(new() { Key = ByteString.CopyFromUtf8(key) }, cancellationToken: cancelled);
        return (found.Kvs.Count == 0 ? "" : found.Kvs[0].Value.ToStringUtf8(), found.Header.Revision);
    }

    Task<ShellResult> RestoreAsync(LoopbackCluster cluster, params string[] flags) => Shell.RunAsync(
        Binaries.Store,
        [
            "snapshot", "restore", "--from", Location, "--data-dir", cluster[0].DataDirectory, "--name", cluster[0].Name, "--initial-cluster", cluster.InitialCluster,
            "--initial-cluster-token", cluster.Token, "--initial-advertise-peer-urls", cluster[0].PeerUrl, .. flags,
        ], null, TimeSpan.FromSeconds(60), cancellationToken: TestContext.Current.CancellationToken);
}
