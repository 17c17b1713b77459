using System.Globalization;
using Store.Agent;
using Store.Server;
using Store.State;

namespace Store;

/// <summary>The part of `store snapshot restore` that takes backups of the agent instead of a file.</summary>
sealed class BackupSource
{
    public static readonly IReadOnlyList<string> Flags =
        ["from", "to-time", "to-revision", "backup-cluster", "encryption-key-file", "scratch-dir", .. LocationFlags.All];

    readonly CommandArguments arguments;
    readonly LocationOptions location;
    readonly RecoveryTarget target;

    BackupSource(CommandArguments arguments, LocationOptions location, RecoveryTarget target)
    {
        this.arguments = arguments;
        this.location = location;
        this.target = target;
    }

    /// <summary>Null without --from.</summary>
    /// <exception cref="FlagException">Flags do not fit together.</exception>
    public static BackupSource? Of(CommandArguments arguments)
    {
        if (!arguments.Has("from"))
        {
            if (Flags.FirstOrDefault(arguments.Has) is { } stray) throw new FlagException($"--{stray} goes with --from, a location of backups");
            return null;
        }
        if (arguments.HasFile) throw new FlagException("there are a file and --from; give one of them");
        return new(arguments, LocationFlags.Read(arguments, "from"), TargetOf(arguments));
    }

    /// <param name="make">Makes the data directory of a backend's buckets.</param>
    public (RestoredState Restored, RecoveryPlan Plan) Restore(
        string dataDirectory, RestoreOptions options, Func<Func<string, IEnumerable<BackendPair>>, RestoreOptions, RestoredState> make) =>
        RestoreAsync(dataDirectory, options, make).GetAwaiter().GetResult();

    async Task<(RestoredState, RecoveryPlan)> RestoreAsync(
        string dataDirectory, RestoreOptions options, Func<Func<string, IEnumerable<BackendPair>>, RestoreOptions, RestoredState> make)
    {
        var key = arguments.TextOrNull("encryption-key-file") is { } file ? BackupKey.Read(file) : null;
        using var opened = location.Open();
        var content = await new BackupCatalogue(opened, key).ReadAsync("", CancellationToken.None);
        var plan = BackupChoice.Find(content, arguments.TextOrNull("backup-cluster"), target);
        // On the disk that has to take the restored state, too.
        var scratch = arguments.TextOrNull("scratch-dir") ?? Path.GetDirectoryName(Path.GetFullPath(dataDirectory))!;
        Directory.CreateDirectory(scratch);
        if (arguments.Has("once")) RemoveLeft(scratch);
        using var unpacked = await UnpackAsync(plan, content, new(opened, key), scratch);
        var backend = unpacked.Backend;
        return (make(backend.Read, options with { FormerLeases = backend.FormerLeases }), plan);
    }

    /// <summary>What an interrupted restore has unpacked; only this one uses the folder.</summary>
    static void RemoveLeft(string scratch)
    {
        foreach (var left in Directory.EnumerateDirectories(scratch, "restore-*")) Directory.Delete(left, recursive: true);
    }

    /// <summary>Damage is found here, before anything is made of it; then what else there is is told.</summary>
    async Task<UnpackedBackups> UnpackAsync(RecoveryPlan plan, CatalogueContent content, BackupReader reader, string scratch)
    {
        try
        {
            return await UnpackedBackups.OpenAsync(plan, reader, scratch, CancellationToken.None);
        }
        catch (BackupException e) when (e.Backup is { } damaged)
        {
            var cluster = content.Backups.Where(backup => backup.ClusterId == plan.Chain[0].ClusterId).ToList();
            var sound = await SoundPlan.FindAsync(plan, damaged, cluster, reader, scratch, CancellationToken.None);
            throw new BackupException(e.Failure, e.Message + Instead(sound, isOnly: cluster.Count == content.Backups.Count), e);
        }
    }

    /// <summary>In options that can be given back as they stand.</summary>
    /// <param name="isOnly">The location has backups of no other cluster.</param>
    string Instead(RecoveryPlan? sound, bool isOnly)
    {
        if (sound is null) return "; there is no older state that can be restored";
        var end = sound.Chain[^1];
        // Revisions of several clusters differ.
        var among = isOnly || arguments.Has("backup-cluster") ? "" : $" --backup-cluster {end.ClusterId}";
        return string.Create(CultureInfo.InvariantCulture, $"; the newest sound state before it is {(sound.Until == end.To ? "of" : "from before")} {end.Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}: restore it with --to-revision {sound.Until}") + among
            + (target is RecoveryTarget.Time ? " instead of --to-time" : "");
    }

    static RecoveryTarget TargetOf(CommandArguments arguments)
    {
        if (arguments.Has("to-time") && arguments.Has("to-revision")) throw new FlagException("give --to-time or --to-revision, not both");
        if (arguments.Number("to-revision") is { } revision) return new RecoveryTarget.Revision(revision);
        if (arguments.TextOrNull("to-time") is not { } text) return new RecoveryTarget.Latest();
        // A time without a zone would be another one on another machine.
        return text.Contains('T', StringComparison.Ordinal) && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal))
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new RecoveryTarget.Time(time)
            : throw new FlagException($"--to-time must be a time with its zone, such as 2026-11-27T20:34:00Z or 2026-11-27T21:34:00+01:00, not '{text}'");
    }
}
