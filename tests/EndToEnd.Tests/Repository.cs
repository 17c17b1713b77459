namespace EndToEnd.Tests;

/// <summary>Where the repository and the things beside it are.</summary>
static class Repository
{
    public static readonly string Root = FindRoot();

    /// <summary>The scripts that bring up a real Kubernetes from packages, in a folder beside the repository; null where they are not.</summary>
    public static string? KubeScripts => Existing(Path.Combine(Root, "..", "shared", "kube"));

    static string? Existing(string path) => Directory.Exists(path) ? Path.GetFullPath(path) : null;

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Operator.sln is in no folder above the tests");
    }
}
