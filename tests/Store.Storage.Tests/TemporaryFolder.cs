namespace Store.Storage.Tests;

/// <summary>A folder of its own for one test, gone afterwards.</summary>
sealed class TemporaryFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("store-storage-").FullName;

    internal string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>A copy of a folder as it is at this moment: what a process finds that starts after a kill.</summary>
    internal static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        // The held lock is not the dead process's any more.
        foreach (var file in Directory.GetFiles(from).Where(file => System.IO.Path.GetFileName(file) != "lock")) File.Copy(file, System.IO.Path.Combine(to, System.IO.Path.GetFileName(file)));
        foreach (var folder in Directory.GetDirectories(from)) Copy(folder, System.IO.Path.Combine(to, System.IO.Path.GetFileName(folder)));
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
