using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>A restore that finds damage says what is damaged, and what else can be restored in words that can be given back to it.</summary>
public sealed partial class DamagedRestoreTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-damage-");

    string Location => Path.Combine(folder.FullName, "backups");

    [Fact]
    public async Task A_restore_of_a_damaged_delta_offers_the_deltas_before_it()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var deltas = await FullAndDeltasAsync(["first", "second", "third"], cancelled);
        var part = Flip(deltas[^1]);
        var said = (await RestoreAsync(LoopbackCluster.Create(Product.Store, 1))).Error;
        Assert.Contains($"the object {part} is damaged: its content was changed", said, StringComparison.Ordinal);
        Assert.EndsWith($"restore it with --to-revision {deltas[1].Revision}", said.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal("second", await RestoredAsync(said, cancelled));
    }

    [Fact]
    public async Task A_restore_of_a_damaged_backup_names_the_object_and_offers_the_older_one()
    {
        var cancelled = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Location);
        var (older, damaged) = await TwoFullBackupsAsync("old", "new", cancelled);
        var part = Flip(damaged);

        var said = (await RestoreAsync(LoopbackCluster.Create(Product.Store, 1))).Error;
        Assert.Contains($"the object {part} is damaged: its content was changed", said, StringComparison.Ordinal);
        Assert.EndsWith($"restore it with --to-revision {older.Revision}", said.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal("old", await RestoredAsync(said, cancelled));

        var time = DateTimeOffset.UtcNow.AddMinutes(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var byTime = (await RestoreAsync(LoopbackCluster.Create(Product.Store, 1), "--to-time", time)).Error;
        Assert.EndsWith($"restore it with --to-revision {older.Revision} instead of --to-time", byTime.TrimEnd(), StringComparison.Ordinal);

        // Beside another cluster's backups a revision alone says too little.
        var (_, alsoDamaged) = await TwoFullBackupsAsync("older", "newer", cancelled);
        Flip(alsoDamaged);
        said = (await RestoreAsync(LoopbackCluster.Create(Product.Store, 1))).Error;
        Assert.Contains($" --backup-cluster {alsoDamaged.Cluster}", said, StringComparison.Ordinal);
        Assert.Equal("older", await RestoredAsync(said, cancelled));
    }

    public void Dispose() => folder.Delete(recursive: true);

    sealed record Taken(string Cluster, string Id, long Revision);

    async Task<(Taken Older, Taken Newer)> TwoFullBackupsAsync(string first, string second, CancellationToken cancelled)
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await PutAsync(cluster[0], first, cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Path.Combine(folder.FullName, "scratch"));
        var older = FullOf(await agent.WaitAsync("a full backup", status => FullOf(status) is not null, cancelled))!;
        await PutAsync(cluster[0], second, cancelled);
        Assert.Equal(202, await agent.PostAsync($"/full?after={older.Id}", null, cancelled));
        return (older, FullOf(await agent.WaitAsync("a second one", status => status.GetProperty("fulls").GetInt32() == 2, cancelled))!);
    }

    /// <returns>The delta of each value.</returns>
    async Task<IReadOnlyList<Taken>> FullAndDeltasAsync(IReadOnlyList<string> values, CancellationToken cancelled)
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled);
        await PutAsync(cluster[0], "of the full backup", cancelled);
        await using var agent = new AgentUnderTest(cluster[0].ClientUrl, Location, Path.Combine(folder.FullName, "scratch"));
        var status = await agent.WaitAsync("a full backup", status => FullOf(status) is not null, cancelled);
        List<Taken> deltas = [];
        foreach (var value in values)
        {
            var revision = await PutAsync(cluster[0], value, cancelled);
            status = await agent.WaitAsync($"a delta with {value}", status => status.GetProperty("recoverableRevision").GetInt64() >= revision, cancelled);
            deltas.Add(new(FullOf(status)!.Cluster, status.GetProperty("lastDelta").GetProperty("id").GetString()!, revision));
        }
        return deltas;
    }

    static Taken? FullOf(System.Text.Json.JsonElement status) => status.TryGetProperty("lastFull", out var full)
        ? new(status.GetProperty("clusterId").GetString()!, full.GetProperty("id").GetString()!, full.GetProperty("revision").GetInt64())
        : null;

    /// <returns>Its revision.</returns>
    static async Task<long> PutAsync(MemberProcess member, string value, CancellationToken cancelled) => (await new KV.KVClient(member.Channel).PutAsync(
        new() { Key = ByteString.CopyFromUtf8("key"), Value = ByteString.CopyFromUtf8(value) }, cancellationToken: cancelled)).Header.Revision;

    /// <returns>The object's name.</returns>
    string Flip(Taken backup)
    {
        var name = BackupName.OfPart(backup.Cluster, backup.Id, 0);
        var path = Path.Combine(Location, name);
        var content = File.ReadAllBytes(path);
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(path, content);
        return name;
    }

    /// <summary>What is restored with the options that a message offers, as they stand there.</summary>
    async Task<string> RestoredAsync(string offer, CancellationToken cancelled)
    {
        await using var cluster = LoopbackCluster.Create(Product.Store, 1);
        (await RestoreAsync(cluster, Offered().Match(offer).Groups["options"].Value.Split(' '))).Succeeded();
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancelled);
        return (await new KV.KVClient(cluster[0].Channel).RangeAsync(new() { Key = ByteString.CopyFromUtf8("key") }, cancellationToken: cancelled)).Kvs.Single().Value.ToStringUtf8();
    }

    Task<ShellResult> RestoreAsync(LoopbackCluster cluster, params string[] flags) => Shell.RunAsync(
        Binaries.Store,
        [
            "snapshot", "restore", "--from", Location, "--data-dir", cluster[0].DataDirectory, "--name", cluster[0].Name, "--initial-cluster", cluster.InitialCluster,
            "--initial-cluster-token", cluster.Token, "--initial-advertise-peer-urls", cluster[0].PeerUrl, .. flags,
        ], null, TimeSpan.FromSeconds(60), cancellationToken: TestContext.Current.CancellationToken);

    [GeneratedRegex("restore it with (?<options>.*)")]
    private static partial Regex Offered();
}
