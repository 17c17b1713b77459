using Operator.Core;

namespace Operator.Controller;

/// <summary><c>store-operator crds FOLDER...</c> writes the generated CRDs, one file a kind. With no folder they go to the console.</summary>
internal static class CrdFiles
{
    public static int Write(IReadOnlyList<string> folders)
    {
        if (folders.Count == 0) Console.Out.Write(CrdBuilder.Yaml<StoreCluster>());
        foreach (var folder in folders)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "storeclusters.yaml"), CrdBuilder.Yaml<StoreCluster>());
        }

        return 0;
    }
}
