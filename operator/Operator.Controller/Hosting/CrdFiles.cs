using Operator.Core;

namespace Operator.Controller;

/// <summary><c>store-operator crds FOLDER...</c> writes the generated CRDs, one file a kind. With no folder they go to the console.</summary>
static class CrdFiles
{
    public static IReadOnlyList<(string Name, string Yaml)> All =>
    [
        ("storeclusters.yaml", CrdBuilder.Yaml<StoreCluster>()),
        ("storebackups.yaml", CrdBuilder.Yaml<StoreBackup>()),
        ("storebackupschedules.yaml", CrdBuilder.Yaml<StoreBackupSchedule>()),
        ("storerestores.yaml", CrdBuilder.Yaml<StoreRestore>()),
    ];

    public static int Write(IReadOnlyList<string> folders)
    {
        if (folders.Count == 0) Console.Out.Write(string.Join("---\n", All.Select(file => file.Yaml)));
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(folder);
            foreach (var (name, yaml) in All) File.WriteAllText(Path.Combine(folder, name), yaml);
        }

        return 0;
    }
}
