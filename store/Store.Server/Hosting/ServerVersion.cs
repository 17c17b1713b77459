using System.Reflection;

namespace Store.Server;

/// <summary>The etcd version whose surface this is, which clients parse (kube-apiserver switches features by it), and our own.</summary>
public static class ServerVersion
{
#if NEXT_FORMAT
    public const string Etcd = "3.8.0";
    public const string Cluster = "3.8.0";
    public const string Storage = "3.8.0";
#else
    public const string Etcd = "3.7.1";
    public const string Cluster = "3.7.0";
    public const string Storage = "3.7.0";
#endif

    public static readonly string Own =
        typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>What `--version` prints; scripts read the first line.</summary>
    public static string Text =>
        $"""
        etcd Version: {Etcd}
        Store Version: {Own}
        Runtime: .NET {Environment.Version}
        OS/Arch: {(OperatingSystem.IsLinux() ? "linux" : Environment.OSVersion.Platform.ToString())}/{System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}
        """;
}
