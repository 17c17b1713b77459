namespace Store.Storage.Tests;

/// <summary>A folder of its own for one test, gone afterwards.</summary>
sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("store-storage-").FullName;

    internal string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>
    /// A copy of a folder as it is at one moment: what a process finds that starts after a kill. RocksDB's background threads go on meanwhile, so
    /// a copy during which files came or went is no such moment, and is taken again.
    /// </summary>
    internal static void Copy(string from, string to)
    {
        for (var attempt = 0; ; attempt++)
        {
            var before = Listing(from);
            try
            {
                CopyOnce(from, to);
                if (Listing(from).SetEquals(before)) return;
            }
            catch (FileNotFoundException) when (attempt < 100)
            {
                // A compaction has removed it.
            }
            Directory.Delete(to, recursive: true);
        }
    }

    static HashSet<string> Listing(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)];

    static void CopyOnce(string from, string to)
    {
        Directory.CreateDirectory(to);
        // The held lock is not the dead process's any more.
        foreach (var file in Directory.GetFiles(from).Where(file => System.IO.Path.GetFileName(file) != "lock")) File.Copy(file, System.IO.Path.Combine(to, System.IO.Path.GetFileName(file)));
        foreach (var folder in Directory.GetDirectories(from)) CopyOnce(folder, System.IO.Path.Combine(to, System.IO.Path.GetFileName(folder)));
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
