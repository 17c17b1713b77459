using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>The versions of etcdctl that are held against both servers.</summary>
static class Etcdctl
{
    static string? old;

    /// <summary>3.5: beside etcd itself. 3.4: ETCDCTL34_BIN, the installed one, or Debian's package unpacked into out/.</summary>
    public static string Program(string version) => version == "3.5" ? Binaries.Etcdctl : old ??= Get34();

    /// <param name="certificates">--cacert, --cert and --key; null is in clear.</param>
    public static Task<ShellResult> RunAsync(string version, string endpoints, IReadOnlyList<string> arguments, string? input = null, ClusterCertificates? certificates = null)
    {
        var tls = certificates?.EtcdctlFlags ?? [];
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["ETCDCTL_API"] = "3", ["ETCDCTL_ENDPOINTS"] = endpoints };
        if (!arguments.Contains("watch"))
            return Shell.RunAsync(Program(version), [.. tls, .. arguments], environment, TimeSpan.FromSeconds(100), input);
        // A watch never ends by itself. With a name it logs in first, which takes a while on purpose.
        var seconds = arguments.Contains("--user") ? "3" : "1";
        return Shell.RunAsync("timeout", ["--preserve-status", "-s", "KILL", seconds, Program(version), .. tls, .. arguments], environment, TimeSpan.FromSeconds(20), input);
    }

    static string Get34()
    {
        if (Environment.GetEnvironmentVariable("ETCDCTL34_BIN") is { Length: > 0 } given)
            return given;
        var script = Path.Combine(Binaries.RepositoryRoot, "tests/EndToEnd.Tests/Etcdctl/get-3.4");
        var result = Shell.Run(script, Path.Combine(Binaries.RepositoryRoot, "out/etcdctl-3.4"));
        return result.ExitCode == 0
            ? result.Output.Trim()
            : throw new FileNotFoundException($"No etcdctl 3.4: install Debian's etcd-client or set ETCDCTL34_BIN.\n{result.Error}");
    }
}
