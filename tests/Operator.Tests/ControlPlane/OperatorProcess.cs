using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Operator.Tests;

/// <summary>A process of the operator, watching one namespace.</summary>
sealed class OperatorProcess : IAsyncDisposable
{
    readonly Process process;
    readonly List<string> log = [];

    /// <param name="environment">Beside the test's own.</param>
    public OperatorProcess(string identity, string @namespace, params IEnumerable<KeyValuePair<string, string?>> environment)
    {
        Identity = identity;
        var program = Path.Combine(AppContext.BaseDirectory, "store-operator.dll");
        var start = new ProcessStartInfo(
            "dotnet",
            [
                program, $"--identity={identity}", $"--watch-namespaces={@namespace}", $"--lease-namespace={@namespace}", "--default-image=localhost/store:dev",
                $"--metrics-port={FreePort()}", $"--health-port={FreePort()}",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Identity { get; }

    public string Log
    {
        get
        {
            lock (log) return string.Join('\n', log);
        }
    }

    /// <summary>Of physical memory in bytes, now and at its highest, by the kernel's account.</summary>
    public (long Resident, long Peak) ReadMemory()
    {
        var lines = File.ReadAllLines($"/proc/{process.Id}/status");
        // "VmHWM:	  104532 kB"
        long Of(string name) => long.Parse(lines.Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        return (Of("VmRSS:"), Of("VmHWM:"));
    }

    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    void Keep(string? line)
    {
        if (line is null) return;
        lock (log) log.Add(line);
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
