using System.Globalization;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>
/// The agent dies at every single thing that it asks of the target, before it is done and after: what is listed restores, what is not is collected, and the next
/// agent goes on.
/// </summary>
public sealed class CrashTests
{
    static readonly RetentionPolicy OnlyTheNewest = new(0, 0, 0, 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_is_listed_after_a_crash_restores(bool diesAfter)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var before = new MemoryTarget();
        using var backups = new BackedUpMachine(target: before);
        await FillAsync(backups, cancelled);
        var known = RecoveryPlan.Newest((await backups.Catalogue.ReadAsync(BackedUpMachine.Cluster, cancelled)).Backups)!.Until;
        backups.Machine.Put("last");

        var crashes = 0;
        while (true)
        {
            var dying = new MemoryTarget(before) { DiesAt = crashes + 1, DiesAfter = diesAfter };
            backups.Connect(dying);
            if (await RunsToTheEndAsync(backups, cancelled)) break;
            crashes++;
            await CheckAsync(backups, new(dying), known, cancelled);
        }
        // A take, a merge, retention and garbage: if these become fewer, something is not tried any more.
        Assert.True(crashes > 120, crashes.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>An older chain, a newer one, and as many deltas as are merged.</summary>
    static async Task FillAsync(BackedUpMachine backups, CancellationToken cancelled)
    {
        backups.Machine.Put("first");
        await backups.TakeFullAsync(cancelled);
        backups.Machine.Put("second");
        await backups.TakeNextAsync(cancelled);
        await backups.TakeFullAsync(cancelled);
        for (var i = 0; i < DeltaMerging.RunLength - 2; i++)
        {
            backups.Machine.Put("key", i.ToString(CultureInfo.InvariantCulture));
            await backups.TakeNextAsync(cancelled);
        }
    }

    static async Task<bool> RunsToTheEndAsync(BackedUpMachine backups, CancellationToken cancelled)
    {
        try
        {
            await backups.TakeNextAsync(cancelled);
            Assert.True(await backups.MergeAsync(cancelled));
            await backups.TakeFullAsync(cancelled);
            foreach (var expired in Retention.Expired((await backups.Catalogue.ReadAsync(BackedUpMachine.Cluster, cancelled)).Backups, OnlyTheNewest))
                await backups.Catalogue.RemoveAsync(expired, cancelled);
            await backups.Catalogue.CollectGarbageAsync(BackedUpMachine.Cluster, DateTimeOffset.MaxValue, cancelled);
            return true;
        }
        catch (MemoryTarget.ProcessDied)
        {
            return false;
        }
    }

    static async Task CheckAsync(BackedUpMachine backups, MemoryTarget left, long known, CancellationToken cancelled)
    {
        backups.Connect(left);
        var listed = (await backups.Catalogue.ReadAsync(BackedUpMachine.Cluster, cancelled)).Backups;
        Assert.True(RecoveryPlan.Newest(listed)!.Until >= known);
        foreach (var manifest in listed)
        {
            for (var number = 0; number < manifest.Parts.Length; number++) Assert.True(left.Objects.ContainsKey(BackupName.OfPart(manifest.ClusterId, manifest.Id, number)));
        }
        var latest = await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled);
        Assert.Equal(backups.Machine.Dump(latest.View.Revision.Value), latest.Dump());

        await backups.Catalogue.CollectGarbageAsync(BackedUpMachine.Cluster, DateTimeOffset.MaxValue, cancelled);
        Assert.Equal(listed.Sum(manifest => 1 + manifest.Parts.Length), left.Objects.Count);
        await backups.TakeNextAsync(cancelled);
        Assert.Equal(backups.Machine.Dump(), (await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled)).Dump());
    }

    [Fact]
    public void Only_what_is_old_and_of_no_listed_backup_is_garbage()
    {
        var now = DateTimeOffset.UnixEpoch.AddDays(1);
        StoredObject Object(string name, int hours) => new(name, 1, now.AddHours(-hours));
        IReadOnlyList<StoredObject> objects =
        [
            Object("aa/backups/2-0-full-20261127T203400Z-00000001.json", 9), Object("aa/parts/20261127T203400Z-00000001/00000", 9),
            Object("aa/parts/20261127T203400Z-00000002/00000", 9), Object("aa/parts/20261127T203400Z-00000003/00000", 1), Object("aa/backups/x.json.9.tmp", 9),
        ];
        Assert.Equal(["aa/parts/20261127T203400Z-00000002/00000", "aa/backups/x.json.9.tmp"], BackupCatalogue.Orphans(objects, now.AddHours(-6)));
    }
}
