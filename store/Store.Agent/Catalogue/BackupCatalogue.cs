using System.Collections.Concurrent;

namespace Store.Agent;

/// <param name="Backups">Of all clusters whose backups are here.</param>
/// <param name="Unusable">Manifests that could not be used, and why; their backups are not among the others.</param>
public sealed record CatalogueContent(IReadOnlyList<Manifest> Backups, IReadOnlyList<BackupException> Unusable);

/// <summary>
/// The backups at a target: those that have a manifest. There is no other index that could disagree. Manifests never change, so each is read once. Safe to use from several
/// places at once.
/// </summary>
public sealed class BackupCatalogue(IBackupTarget target, BackupKey? key)
{
    readonly ConcurrentDictionary<string, Manifest> known = new(StringComparer.Ordinal);

    /// <summary>Of those, the ones whose parts were found missing or cut off, and what is wrong with them.</summary>
    readonly ConcurrentDictionary<string, BackupException> incomplete = new(StringComparer.Ordinal);

    /// <param name="cluster">As in names; empty for all.</param>
    public async Task<CatalogueContent> ReadAsync(string cluster, CancellationToken cancellationToken)
    {
        var prefix = cluster.Length == 0 ? "" : BackupName.ManifestsOf(cluster);
        var names = (await target.ListAsync(prefix, cancellationToken)).Select(stored => stored.Name).Where(BackupName.IsManifest).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in known.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !names.Contains(name))) Forget(gone);
        List<BackupException> unusable = [];
        foreach (var name in names.Where(name => !known.ContainsKey(name)).Order(StringComparer.Ordinal))
        {
            try
            {
                // Removed since the list was made: retention is at work.
                if (await target.GetAsync(name, cancellationToken) is { } content) known[name] = Read(name, content);
            }
            catch (BackupException e) when (e.Failure is BackupFailure.Damaged or BackupFailure.Misconfigured)
            {
                unusable.Add(e);
            }
        }
        var ofCluster = known.Where(manifest => manifest.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        unusable.AddRange(ofCluster.Select(manifest => incomplete.GetValueOrDefault(manifest.Key)).OfType<BackupException>());
        return new([.. ofCluster.Where(manifest => !incomplete.ContainsKey(manifest.Key)).Select(manifest => manifest.Value)], unusable);
    }

    void Forget(string name)
    {
        known.TryRemove(name, out _);
        incomplete.TryRemove(name, out _);
    }

    /// <summary>A manifest only counts in its own place.</summary>
    Manifest Read(string name, byte[] content) => ManifestText.Read(name, content, key) is var manifest && BackupName.Of(manifest) == name
        ? manifest
        : throw new BackupException(BackupFailure.Damaged, $"{name}: the manifest is that of {BackupName.Of(manifest)}; its backup cannot be used");

    /// <summary>Makes the backup exist. That there is such an object already can only mean that an earlier try was done although it failed.</summary>
    internal async Task PublishAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var (name, content) = (BackupName.Of(manifest), ManifestText.Write(manifest, key));
        if (!await target.PutNewAsync(name, content, cancellationToken) && (await target.GetAsync(name, cancellationToken)).AsSpan().SequenceEqual(content) is false)
            throw new BackupException(BackupFailure.Damaged, $"{target.Location}: another object stands at {name}; the backup was not published");
        known[name] = manifest;
    }

    /// <summary>The manifest first: a backup that is listed is whole at every moment.</summary>
    internal async Task RemoveAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        await target.DeleteAsync(BackupName.Of(manifest), cancellationToken);
        Forget(BackupName.Of(manifest));
        for (var number = 0; number < manifest.Parts.Length; number++) await target.DeleteAsync(BackupName.OfPart(manifest.ClusterId, manifest.Id, number), cancellationToken);
    }

    /// <summary>
    /// Removes what belongs to no backup: what a crash left behind. It is given time, since another member's backup may be under way. The other way round, a backup that
    /// has lost a part counts as one no longer.
    /// </summary>
    internal async Task<int> CollectGarbageAsync(string cluster, DateTimeOffset before, CancellationToken cancellationToken)
    {
        // Before the list is made: parts are there before their manifest, so those of these must be in it. One whose backup is removed meanwhile is forgotten at the next look.
        var manifests = known.Where(manifest => manifest.Value.ClusterId == cluster).ToList();
        var objects = await target.ListAsync(cluster + "/", cancellationToken);
        var sizes = objects.ToDictionary(stored => stored.Name, stored => stored.Bytes, StringComparer.Ordinal);
        foreach (var (name, manifest) in manifests)
        {
            if (WrongWith(manifest, sizes) is { } wrong) incomplete[name] = new(BackupFailure.Damaged, $"{name}: {wrong}; its backup cannot be used");
            else incomplete.TryRemove(name, out _);
        }
        var orphans = Orphans(objects, before);
        foreach (var name in orphans) await target.DeleteAsync(name, cancellationToken);
        return orphans.Count;
    }

    /// <summary>What a list of the objects tells; whether their content is right is for verification, drills and restores.</summary>
    static string? WrongWith(Manifest manifest, Dictionary<string, long> sizes)
    {
        for (var number = 0; number < manifest.Parts.Length; number++)
        {
            var (part, expected) = (BackupName.OfPart(manifest.ClusterId, manifest.Id, number), manifest.Parts[number].StoredBytes);
            if (!sizes.TryGetValue(part, out var size)) return $"the object {part} is missing";
            if (size != expected) return $"the object {part} has {size} of {expected} bytes";
        }
        return null;
    }

    /// <summary>A list is not of one moment, but a manifest that is missed in it was published after it began, and its parts are younger than any grace.</summary>
    internal static IReadOnlyList<string> Orphans(IReadOnlyList<StoredObject> objects, DateTimeOffset before)
    {
        var listed = objects.Where(stored => BackupName.IsManifest(stored.Name)).Select(stored => BackupName.IdOf(stored.Name)).ToHashSet();
        return [.. objects.Where(stored => stored.Modified < before && !BackupName.IsManifest(stored.Name) && !BackupName.IsDrill(stored.Name) && !listed.Contains(BackupName.IdOf(stored.Name))).Select(stored => stored.Name)];
    }
}
