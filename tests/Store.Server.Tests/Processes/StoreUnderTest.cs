using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Store.Server.Tests;

/// <summary>A real `store` process with a data directory of its own.</summary>
sealed partial class StoreUnderTest : IAsyncDisposable
{
    const int SigTerm = 15;
    static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);

    readonly StringBuilder log = new();
    readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Process process;

    StoreUnderTest(string folder, int clientPort, int peerPort, string[] flags)
    {
        Folder = folder;
        ClientPort = clientPort;
        var secured = flags.Any(flag => flag.StartsWith("--cert-file", StringComparison.Ordinal) || flag == "--auto-tls");
        Url = $"{(secured ? "https" : "http")}://127.0.0.1:{clientPort}";
        process = new()
        {
            StartInfo = new(Executable,
            [
                "--name=one", $"--data-dir={folder}", $"--listen-client-urls={Url}", $"--advertise-client-urls={Url}",
                $"--listen-peer-urls=http://127.0.0.1:{peerPort}", $"--initial-advertise-peer-urls=http://127.0.0.1:{peerPort}", "--warmup-duration=0s", .. flags,
            ])
            {
                RedirectStandardError = true,
            },
        };
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginErrorReadLine();
    }

    public static string Executable
    {
        get
        {
            // tests/Store.Server.Tests/bin/<configuration>/net10.0/
            var output = new DirectoryInfo(AppContext.BaseDirectory);
            var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
            return Path.Combine(root, "store", "Store", "bin", output.Parent.Name, output.Name, "store");
        }
    }

    public string Folder { get; }

    public int ClientPort { get; }

    /// <summary>https when the flags bring a certificate.</summary>
    public string Url { get; }

    public string Output
    {
        get { lock (log) return log.ToString(); }
    }

    public static async Task<StoreUnderTest> StartAsync(CancellationToken cancellationToken, params string[] flags)
    {
        var store = new StoreUnderTest(Directory.CreateTempSubdirectory("store-test-").FullName, FreePort(), FreePort(), flags);
        await Task.WhenAny(store.ready.Task, store.process.WaitForExitAsync(cancellationToken)).WaitAsync(StartTimeMax, cancellationToken);
        return store.ready.Task.IsCompleted ? store : throw new InvalidOperationException("the store did not start:\n" + store.Output);
    }

    /// <summary>SIGTERM; the exit code.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        _ = Kill(process.Id, SigTerm);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode;
    }

    /// <summary>Runs the executable to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string file, string[] arguments, string? input, CancellationToken cancellationToken, params (string, string)[] environment)
    {
        using var process = new Process
        {
            StartInfo = new(file, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true },
        };
        foreach (var (name, value) in environment) process.StartInfo.Environment[name] = value;
        process.Start();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, await error);
    }

    public static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    void Take(string? line)
    {
        if (line is null) return;
        lock (log) log.AppendLine(CultureInfo.InvariantCulture, $"{line}");
        if (line.Contains("ready to serve client requests", StringComparison.Ordinal)) ready.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
