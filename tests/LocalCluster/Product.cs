namespace LocalCluster;

/// <summary>Which server a member runs: etcd itself, or ours under the same flags.</summary>
public enum Product
{
    Etcd,
    Store,
}

/// <summary>Finds the programs that tests start. A missing one is an error that says how to get it, never a skipped test.</summary>
public static class Binaries
{
    /// <summary>The folder with Operator.sln, found upwards from the running program.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    public static string Of(Product product) => product == Product.Store ? Store : Etcd;

    public static string Store => Existing(
        Environment.GetEnvironmentVariable("STORE_BIN") ?? Path.Combine(RepositoryRoot, "out/store/store"),
        "run `make build`, or set STORE_BIN to a built store");

    /// <summary>The next version of the store, as far as its format on disk goes.</summary>
    public static string NextStore => Existing(Path.Combine(RepositoryRoot, "out/store-next/store"), "run `make next-format`");

    public static string Etcd => Existing(Environment.GetEnvironmentVariable("ETCD_BIN") ?? Path.Combine(EtcdFolder(), "etcd"), EtcdHint);

    public static string Etcdctl => Existing(Environment.GetEnvironmentVariable("ETCDCTL_BIN") ?? Path.Combine(EtcdFolder(), "etcdctl"), EtcdHint);

    public static string Etcdutl => Existing(Path.Combine(Path.GetDirectoryName(Etcdctl)!, "etcdutl"), "it comes with etcdctl 3.5: " + EtcdHint);

    /// <summary>The folder of the scripts that bring up a real Kubernetes from packages, beside the repository; null where they are not.</summary>
    public static string? KubeScripts => Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "kube")) is var folder && Directory.Exists(folder) ? folder : null;

    const string EtcdHint = "set ETCD_BIN (and ETCDCTL_BIN) to etcd 3.5's programs";

    static string? fetchedFolder;

    /// <summary>Beside ETCD_BIN when that is set; else what shared/etcd/get in a folder around the repository prints; else the system's own.</summary>
    static string EtcdFolder()
    {
        if (Environment.GetEnvironmentVariable("ETCD_BIN") is { Length: > 0 } etcd)
            return Path.GetDirectoryName(Path.GetFullPath(etcd))!;
        return fetchedFolder ??= Above("shared/etcd/get") is { } script ? Shell.Run(script).Output.Trim() : "/usr/bin";
    }

    /// <summary>A file at this relative path in a folder that contains the repository, also when the repository is a worktree deeper down.</summary>
    static string? Above(string file)
    {
        for (var folder = Path.GetDirectoryName(RepositoryRoot); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, file)))
                return Path.Combine(folder, file);
        }
        return null;
    }

    static string Existing(string path, string hint) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not there: {hint}.");

    static string FindRepositoryRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Operator.sln")))
                return folder;
        }
        throw new DirectoryNotFoundException($"No Operator.sln above {AppContext.BaseDirectory}: run from a checkout of the repository.");
    }
}
