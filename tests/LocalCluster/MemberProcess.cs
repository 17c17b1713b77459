using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Etcdserverpb;

namespace LocalCluster;

/// <summary>
/// One member as a process of its own: start, kill, pause, stop, restart on the same data directory and ports; what it wrote to its log is kept in a
/// file beside the data and shown when something fails.
/// </summary>
public sealed partial class MemberProcess : IAsyncDisposable
{
    readonly IReadOnlyList<string> arguments;
    readonly ClusterCertificates? certificates;
    readonly Lock logGate = new();
    Process? process;
    GrpcChannel? channel;

    public MemberProcess(Product product, string name, string folder, int clientPort, int peerPort, IReadOnlyList<string> arguments, ClusterCertificates? certificates = null)
    {
        Product = product;
        Name = name;
        Folder = folder;
        ClientPort = clientPort;
        PeerPort = peerPort;
        this.arguments = arguments;
        this.certificates = certificates;
        Program = Binaries.Of(product);
        Directory.CreateDirectory(folder);
    }

    public Product Product { get; }
    public string Name { get; }
    /// <summary>What the next start runs.</summary>
    public string Program { get; set; }
    /// <summary>Holds `data` (the data directory) and `log`.</summary>
    public string Folder { get; }
    public int ClientPort { get; }
    public int PeerPort { get; }
    public string ClientUrl => $"{Scheme}://127.0.0.1:{ClientPort}";
    public string PeerUrl => $"{Scheme}://127.0.0.1:{PeerPort}";
    public string Endpoint => $"127.0.0.1:{ClientPort}";
    public string DataDirectory => Path.Combine(Folder, "data");
    public string LogFile => Path.Combine(Folder, "log");
    public bool IsRunning => process is { HasExited: false };
    public int ProcessId => process?.Id ?? throw new InvalidOperationException($"{Name} was never started.");
    public int ExitCode => process!.ExitCode;

    /// <summary>A channel to this member alone; survives its restarts.</summary>
    public GrpcChannel Channel => channel ??= NewChannel();

    /// <summary>Another connection to this member; the caller disposes of it.</summary>
    public GrpcChannel NewChannel() => GrpcChannel.ForAddress(ClientUrl, new GrpcChannelOptions
    {
        MaxReceiveMessageSize = null,
        MaxSendMessageSize = null,
        HttpHandler = NewHandler(),
        DisposeHttpClient = true,
    });

    string Scheme => certificates is null ? "http" : "https";

    SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, ConnectTimeout = TimeSpan.FromSeconds(3) };
        if (certificates is not null) handler.SslOptions = certificates.ForClients();
        return handler;
    }

    /// <param name="more">Flags for this start alone.</param>
    public void Start(params IReadOnlyList<string> more)
    {
        var start = new ProcessStartInfo(Program, [.. arguments, .. more]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var started = new Process { StartInfo = start };
        started.OutputDataReceived += (_, line) => AppendLog(line.Data);
        started.ErrorDataReceived += (_, line) => AppendLog(line.Data);
        started.Start();
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        process = started;
        Orphans.Watch(started);
    }

    /// <summary>Waits until a linearizable read through this member succeeds: it is up, and its cluster has a leader.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken, TimeSpan? within = null)
    {
        var deadline = Stopwatch.GetTimestamp() + (long)((within ?? TimeSpan.FromSeconds(60)).TotalSeconds * Stopwatch.Frequency);
        var kv = new KV.KVClient(Channel);
        while (true)
        {
            try
            {
                await kv.RangeAsync(new RangeRequest { Key = Google.Protobuf.ByteString.CopyFromUtf8("ready?") },
                    deadline: DateTime.UtcNow.AddSeconds(3), cancellationToken: cancellationToken);
                return;
            }
            catch (RpcException e) when (e.Status.Detail == "etcdserver: user name is empty")
            {
                // Authentication is on: it serves, though not us.
                return;
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                if (!IsRunning)
                    throw new InvalidOperationException($"{Product} member {Name} ended with exit code {ExitCode} instead of getting ready:\n{LogTail()}");
                if (Stopwatch.GetTimestamp() > deadline)
                    throw new TimeoutException($"{Product} member {Name} did not get ready: {e.Status}\n{LogTail()}");
            }
            await Task.Delay(50, cancellationToken);
        }
    }

    public Task<StatusResponse> StatusAsync(CancellationToken cancellationToken = default) =>
        new Maintenance.MaintenanceClient(Channel)
            .StatusAsync(new StatusRequest(), deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: cancellationToken).ResponseAsync;

    /// <summary>kill -9: no goodbye, whatever was not synced by the process is the kernel's.</summary>
    public void Kill()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    /// <summary>SIGTERM, then waits for the end.</summary>
    public async Task<int> StopAsync(TimeSpan? within = null)
    {
        Signal(SigTerm);
        await WaitForExitAsync(within ?? TimeSpan.FromSeconds(20));
        return ExitCode;
    }

    public async Task WaitForExitAsync(TimeSpan within)
    {
        using var deadline = new CancellationTokenSource(within);
        try
        {
            await process!.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Product} member {Name} did not end within {within.TotalSeconds} s:\n{LogTail()}");
        }
    }

    public void Pause() => Signal(SigStop);

    public void Resume() => Signal(SigCont);

    /// <summary>User and system time since the process started.</summary>
    public TimeSpan Cpu()
    {
        var stat = File.ReadAllText($"/proc/{ProcessId}/stat");
        // The second field is the program's name in brackets and may hold spaces; utime and stime are fields 14 and 15.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        const int TicksPerSecond = 100;
        return TimeSpan.FromSeconds((double)ticks / TicksPerSecond);
    }

    /// <summary>Resident bytes now (VmRSS).</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{ProcessId}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    public string Log()
    {
        lock (logGate)
            return File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";
    }

    public string LogTail(int lines = 30) => string.Join('\n', Log().Split('\n').TakeLast(lines));

    public ValueTask DisposeAsync()
    {
        channel?.Dispose();
        if (process is not null)
        {
            Kill();
            process.Dispose();
        }
        return ValueTask.CompletedTask;
    }

    void AppendLog(string? line)
    {
        if (line is null)
            return;
        lock (logGate)
        {
            if (Directory.Exists(Folder))
                File.AppendAllText(LogFile, line + "\n", Encoding.UTF8);
        }
    }

    const int SigTerm = 15;
    const int SigCont = 18;
    const int SigStop = 19;

    void Signal(int signal)
    {
        if (IsRunning && kill(ProcessId, signal) != 0)
            throw new InvalidOperationException($"kill -{signal} {ProcessId} failed: errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int kill(int pid, int signal);
}
