using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Operator.Tests;

/// <summary>A process of the operator, watching one namespace.</summary>
sealed class OperatorProcess : IAsyncDisposable
{
    readonly Process process;
    readonly List<string> log = [];

    public OperatorProcess(string identity, string @namespace)
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
