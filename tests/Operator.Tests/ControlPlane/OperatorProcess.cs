using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Operator.Tests;

/// <summary>A process of the operator, watching one namespace.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _log = [];

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
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Identity { get; }

    public string Log
    {
        get
        {
            lock (_log) return string.Join('\n', _log);
        }
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_log) _log.Add(line);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
