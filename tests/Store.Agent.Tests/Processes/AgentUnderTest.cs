using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LocalCluster;

namespace Store.Agent.Tests;

/// <summary>A real `store agent` beside a member.</summary>
sealed class AgentUnderTest : IAsyncDisposable
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(90);

    readonly StringBuilder log = new();
    readonly Process process;

    public AgentUnderTest(string endpoint, string location, string scratch, params IReadOnlyList<string> flags)
    {
        Url = $"http://127.0.0.1:{Ports.Take()}";
        process = new()
        {
            StartInfo = new(
                Binaries.Store,
                [
                    "agent", $"--endpoint={endpoint}", $"--location={location}", $"--scratch-dir={scratch}", $"--listen-metrics-urls={Url}", "--delta-interval=200ms",
                    "--drill-interval=0s", .. flags,
                ])
            {
                RedirectStandardError = true,
            },
        };
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log) log.AppendLine(line.Data);
        };
        process.Start();
        process.BeginErrorReadLine();
    }

    /// <summary>Of its metrics and status.</summary>
    public string Url { get; }

    public string Log
    {
        get { lock (log) return log.ToString(); }
    }

    public bool IsRunning => !process.HasExited;

    public async Task<JsonElement> StatusAsync(CancellationToken cancellationToken) =>
        JsonDocument.Parse(await Http.GetStringAsync(new Uri(Url + "/status"), cancellationToken)).RootElement;

    public Task<string> GetAsync(string path, CancellationToken cancellationToken) => Http.GetStringAsync(new Uri(Url + path), cancellationToken);

    /// <summary>Time taken since it began.</summary>
    public TimeSpan Processor
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Of each of its threads.</summary>
    public IReadOnlyList<int> Niceness() =>
    [
        .. Directory.EnumerateDirectories($"/proc/{process.Id}/task").Select(thread =>
            int.Parse(File.ReadAllText(Path.Combine(thread, "stat")).Split(") ")[1].Split(' ')[16], CultureInfo.InvariantCulture)),
    ];

    /// <param name="meanwhile">Done before each look.</param>
    public async Task<JsonElement> WaitAsync(string what, Func<JsonElement, bool> condition, CancellationToken cancellationToken, Func<Task>? meanwhile = null)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < WaitMax;)
        {
            if (process.HasExited) throw new InvalidOperationException($"the agent ended with {process.ExitCode}:\n{Log}");
            if (meanwhile is not null) await meanwhile();
            try
            {
                if (await StatusAsync(cancellationToken) is var status && condition(status)) return status;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // Not up yet.
            }
            await Task.Delay(50, cancellationToken);
        }
        throw new TimeoutException($"the agent did not come to this: {what}\n{Log}");
    }

    /// <param name="name">As kill names it.</param>
    public async Task SignalAsync(string name) =>
        (await Shell.RunAsync("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)], null, TimeSpan.FromSeconds(10))).Succeeded();

    /// <returns>The code of the answer.</returns>
    public async Task<int> PostAsync(string path, string? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Url + path));
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await Http.SendAsync(request, cancellationToken);
        return (int)answer.StatusCode;
    }

    public Task WaitForRevisionAsync(long revision, CancellationToken cancellationToken) =>
        WaitAsync($"revision {revision} is recoverable", status => status.GetProperty("recoverableRevision").GetInt64() >= revision, cancellationToken);

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
