using Xunit;

namespace Store.Agent.Tests;

/// <summary>Objects that were removed or changed by hand: it is noticed before anything is made of them, and said.</summary>
public sealed class DamageTests
{
    static async Task<BackedUpMachine> TwoChainsAsync(MemoryTarget target, CancellationToken cancelled)
    {
        var backups = new BackedUpMachine(target: target);
        backups.Machine.Put("a", "1");
        await backups.TakeFullAsync(cancelled);
        backups.Machine.Put("a", "2");
        await backups.TakeFullAsync(cancelled);
        backups.Machine.Put("a", "3");
        await backups.TakeNextAsync(cancelled);
        return backups;
    }

    [Fact]
    public async Task A_changed_or_missing_part_is_found_and_named()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var target = new MemoryTarget();
        using var backups = await TwoChainsAsync(target, cancelled);
        foreach (var part in target.Objects.Keys.Where(name => name.Contains("/parts/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Skip(1))
        {
            var whole = target.Objects[part];
            target.Objects[part] = [.. whole[..^1], (byte)(whole[^1] ^ 1)];
            Assert.Contains($"{part} is damaged: its content was changed", await FailAsync(backups), StringComparison.Ordinal);
            target.Objects[part] = whole[..^1];
            Assert.Contains($"{part} is damaged: it has {whole.Length - 1} of {whole.Length} bytes", await FailAsync(backups), StringComparison.Ordinal);
            target.Objects.TryRemove(part, out _);
            Assert.Contains($"{part} is damaged: it is missing", await FailAsync(backups), StringComparison.Ordinal);
            target.Objects[part] = whole;
        }
        Assert.Equal("a=3", (await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled)).Dump());
    }

    /// <summary>Long before somebody wants to restore: the agent goes through what there is every few minutes, and takes what is then missing.</summary>
    [Fact]
    public async Task A_backup_that_has_lost_a_part_counts_as_one_no_longer_and_does_again_when_it_is_back()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var target = new MemoryTarget();
        using var backups = await TwoChainsAsync(target, cancelled);
        Task<int> InspectAsync() => backups.Catalogue.CollectGarbageAsync(BackedUpMachine.Cluster, DateTimeOffset.MinValue, cancelled);
        async Task<CatalogueContent> ReadAsync() => await backups.Catalogue.ReadAsync(BackedUpMachine.Cluster, cancelled);
        await InspectAsync();
        Assert.Equal((3, 0), ((await ReadAsync()).Backups.Count, (await ReadAsync()).Unusable.Count));

        var newest = RecoveryPlan.Newest((await ReadAsync()).Backups)!.Chain[^1];
        var part = BackupName.OfPart(BackedUpMachine.Cluster, newest.Id, 0);
        target.Objects.TryRemove(part, out var content);
        await InspectAsync();
        Assert.Contains($"the object {part} is missing", Assert.Single((await ReadAsync()).Unusable).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(newest, (await ReadAsync()).Backups);
        target.Objects[part] = content![..^1];
        await InspectAsync();
        Assert.Contains($"has {content!.Length - 1} of {content.Length} bytes", Assert.Single((await ReadAsync()).Unusable).Message, StringComparison.Ordinal);

        // The next one goes on from what is left, and holds what was lost.
        backups.Machine.Put("a", "4");
        await backups.TakeNextAsync(cancelled);
        Assert.Equal("a=4", (await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled)).Dump());
        target.Objects[part] = content;
        await InspectAsync();
        Assert.Equal((4, 0), ((await ReadAsync()).Backups.Count, (await ReadAsync()).Unusable.Count));
    }

    [Fact]
    public async Task A_damaged_manifest_leaves_the_other_backups_and_is_told()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var target = new MemoryTarget();
        using var backups = await TwoChainsAsync(target, cancelled);
        var newest = target.Objects.Keys.Where(BackupName.IsManifest).Order(StringComparer.Ordinal).Last();
        target.Objects[newest] = [.. target.Objects[newest][..^9], .. "damaged\n"u8];
        var content = await new BackupCatalogue(target, null).ReadAsync("", cancelled);
        Assert.Contains("the manifest is damaged", Assert.Single(content.Unusable).Message, StringComparison.Ordinal);
        Assert.Equal("a=2", (await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled)).Dump());
        // Its parts are not taken for garbage: somebody may want to look at them.
        Assert.Empty(BackupCatalogue.Orphans(await target.ListAsync("", cancelled), DateTimeOffset.MaxValue));
    }

    /// <summary>Full, full, three deltas: whatever of them is damaged, what is offered is the newest that a restore by revision brings, and nothing newer is.</summary>
    [Fact]
    public async Task In_place_of_a_damaged_chain_the_newest_sound_state_is_offered()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var target = new MemoryTarget();
        using var backups = await TwoChainsAsync(target, cancelled);
        foreach (var value in new[] { "4", "5" })
        {
            backups.Machine.Put("a", value);
            await backups.TakeNextAsync(cancelled);
        }
        var parts = target.Objects.Keys.Where(name => name.Contains("/parts/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        for (var which = 1; which < 1 << parts.Count; which++)
        {
            var whole = new Dictionary<string, byte[]>(target.Objects, StringComparer.Ordinal);
            foreach (var part in parts.Where((_, i) => ((which >> i) & 1) == 1)) target.Objects[part] = [.. whole[part][..^1], (byte)(whole[part][^1] ^ 1)];
            Assert.Equal(await NewestAsync(backups), await OfferedAsync(backups));
            foreach (var (name, content) in whole) target.Objects[name] = content;
        }
    }

    /// <summary>The newest revision that can be restored, by trying all of them; null for none.</summary>
    static async Task<long?> NewestAsync(BackedUpMachine backups)
    {
        for (var revision = backups.Machine.View.Revision.Value; revision > 0; revision--)
        {
            try
            {
                return (await backups.RestoreAsync(new RecoveryTarget.Revision(revision), TestContext.Current.CancellationToken)).View.Revision.Value;
            }
            catch (BackupException)
            {
                // Not this one.
            }
        }
        return null;
    }

    /// <summary>The end of the latest, or what is offered when that is damaged.</summary>
    static async Task<long?> OfferedAsync(BackedUpMachine backups)
    {
        var (reader, content) = (new BackupReader(backups.Target, null), await new BackupCatalogue(backups.Target, null).ReadAsync("", TestContext.Current.CancellationToken));
        var plan = BackupChoice.Find(content, null, new RecoveryTarget.Latest());
        try
        {
            using var unpacked = await UnpackedBackups.OpenAsync(plan, reader, backups.Scratch, TestContext.Current.CancellationToken);
            return plan.Until;
        }
        catch (BackupException e) when (e.Backup is { } damaged)
        {
            return (await SoundPlan.FindAsync(plan, damaged, content.Backups, reader, backups.Scratch, TestContext.Current.CancellationToken))?.Until;
        }
    }

    static async Task<string> FailAsync(BackedUpMachine backups)
    {
        var failure = await Assert.ThrowsAsync<BackupException>(() => backups.RestoreAsync(new RecoveryTarget.Latest(), TestContext.Current.CancellationToken));
        Assert.Equal(BackupFailure.Damaged, failure.Failure);
        return failure.Message;
    }
}
