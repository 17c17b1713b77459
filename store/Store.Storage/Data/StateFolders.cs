using System.Globalization;
using Store.Raft;

namespace Store.Storage;

/// <summary>
/// The folders under member/state. One of the engine folders is in use: the file "current" names it, and replacing that file is the one step that
/// installs a received snapshot, so a crash finds the old state or the new one.
/// <code>
/// current                "folder engine-00000002", and "installed 500 3" when it came from a snapshot (index, term)
/// engine-00000002/       in use
/// engine-00000003/       being received; complete once it holds its "snapshot" file
/// outgoing-00000001/     a checkpoint that is being sent; of no value after a restart
/// </code>
/// </summary>
sealed class StateFolders
{
    const ulong Format = 1;
    const string EnginePrefix = "engine-";
    const string OutgoingPrefix = "outgoing-";

    readonly string folder;
    readonly Lock gate = new();
    ulong lastNumber;

    StateFolders(string folder, string current, InstalledSnapshot? installed)
    {
        this.folder = folder;
        Current = current;
        Installed = installed;
        lastNumber = Directory.EnumerateDirectories(folder).Append(current).Select(NumberOf).Max();
    }

    /// <summary>The engine folder in use; it need not exist yet.</summary>
    internal string Current { get; private set; }

    /// <summary>The snapshot that the engine in use came from; null when it grew from nothing.</summary>
    internal InstalledSnapshot? Installed { get; private set; }

    static string CurrentFileOf(string folder) => Path.Combine(folder, "current");

    internal static StateFolders Open(string folder)
    {
        Disk.CreateFolder(folder);
        if (CheckedText.Read(CurrentFileOf(folder)) is not { } lines)
        {
            // Without the pointer there must be no state but what a first start was making: which folder was in use cannot be guessed.
            var engines = Directory.GetDirectories(folder, EnginePrefix + "*");
            if (engines.Length > 0) throw new StorageException($"{CurrentFileOf(folder)}: the file is missing, although there is state beside it; restore it, or replace this member");
            var first = Path.Combine(folder, EnginePrefix + "00000001");
            Point(folder, first, null);
            return new(folder, first, null);
        }
        lines.RequireFormat(Format);
        InstalledSnapshot? installed = null;
        if (lines.TextOrNull("installed")?.Split(' ') is [var index, var term])
            installed = new(new(lines.Parse(index)), new(lines.Parse(term)));
        return new(folder, Path.Combine(folder, lines.Text("folder")), installed);
    }

    internal string NewEngine() => Next(EnginePrefix);

    internal string NewOutgoing() => Next(OutgoingPrefix);

    /// <summary>From here on the folder is the one in use, durably.</summary>
    internal void Use(string engine, InstalledSnapshot installed)
    {
        Point(folder, engine, installed);
        (Current, Installed) = (engine, installed);
    }

    /// <summary>The received snapshot for this point that is complete but not in use, if any.</summary>
    internal string? FindComplete(LogIndex index, Term term)
    {
        foreach (var engine in Directory.GetDirectories(folder, EnginePrefix + "*").Where(engine => engine != Current))
        {
            if (SnapshotFile.Read(engine) is not { } found || found.Metadata.Index != index || found.Metadata.Term != term) continue;
            found.RequireWhole(engine);
            return engine;
        }
        return null;
    }

    /// <summary>Removes everything that is not in use. Only before anything is received or sent.</summary>
    internal void RemoveUnused()
    {
        foreach (var unused in Directory.GetDirectories(folder).Where(path => path != Current)) Remove(unused);
    }

    internal static void Remove(string path) => Disk.Try(path, "cannot be deleted", () => Directory.Delete(path, recursive: true));

    string Next(string prefix)
    {
        lock (gate) return Path.Combine(folder, prefix + (++lastNumber).ToString("d8", CultureInfo.InvariantCulture));
    }

    static ulong NumberOf(string path) =>
        ulong.TryParse(Path.GetFileName(path).Split('-')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    static void Point(string folder, string engine, InstalledSnapshot? installed)
    {
        List<(string, string)> lines = [("format", $"{Format}"), ("folder", Path.GetFileName(engine))];
        if (installed is { } from) lines.Add(("installed", $"{from.Index} {from.Term}"));
        CheckedText.Write(CurrentFileOf(folder), lines);
    }
}

/// <summary>The point that an installed snapshot stands for.</summary>
public readonly record struct InstalledSnapshot(LogIndex Index, Term Term);
