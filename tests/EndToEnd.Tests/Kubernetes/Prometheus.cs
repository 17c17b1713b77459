using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace EndToEnd.Tests;

/// <summary>
/// Debian's Prometheus, scraping the pods that say `prometheus.io/scrape: "true"` at the port and path that they name. Debian builds it without the
/// discovery of Kubernetes, so what is found by these annotations is written into its configuration here.
/// </summary>
sealed class Prometheus : IAsyncDisposable
{
    readonly Process process;
    readonly string folder;
    readonly HttpClient http;

    Prometheus(Process process, string folder, HttpClient http) => (this.process, this.folder, this.http) = (process, folder, http);

    public static Task<Prometheus> StartAsync(JsonElement pods, CancellationToken cancellationToken, string? rules = null) =>
        StartAsync(pods.GetProperty("items").EnumerateArray().Where(IsScraped).Select(ScrapeConfig), cancellationToken, rules);

    /// <param name="scrapes">As its configuration has them.</param>
    /// <param name="rules">The text of a file of rules; null for none.</param>
    public static async Task<Prometheus> StartAsync(IEnumerable<object> scrapes, CancellationToken cancellationToken, string? rules = null)
    {
        var folder = Directory.CreateTempSubdirectory("prometheus-").FullName;
        var configuration = Path.Combine(folder, "prometheus.yaml");
        await File.WriteAllTextAsync(configuration, Configuration(scrapes), cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "rules.yaml"), rules ?? "groups: []", cancellationToken);
        var port = FreePort();
        var start = new ProcessStartInfo(
            "prometheus",
            [$"--config.file={configuration}", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]);
        return new(Process.Start(start)!, folder, new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}/") });
    }

    /// <summary>Asks until the expression's one value is the wanted one.</summary>
    public async Task UntilAsync(string expression, double wanted, CancellationToken cancellationToken)
    {
        var deadline = DateTime.UtcNow.AddSeconds(60);
        var answer = "";
        while (DateTime.UtcNow < deadline)
        {
            try
            {
                answer = await http.GetStringAsync($"api/v1/query?query={Uri.EscapeDataString(expression)}", cancellationToken);
                var result = JsonDocument.Parse(answer).RootElement.GetProperty("data").GetProperty("result");
                if (result.GetArrayLength() == 1 && Value(result[0]) == wanted) return;
            }
            catch (HttpRequestException refused)
            {
                answer = refused.Message;
            }
            await Task.Delay(200, cancellationToken);
        }
        throw new TimeoutException($"{expression} did not become {wanted}; the last answer was {answer}");
    }

    /// <summary>Asks until the expression has a value, whatever it is.</summary>
    public async Task UntilAnyAsync(string expression, CancellationToken cancellationToken)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < deadline; await Task.Delay(200, cancellationToken))
        {
            var answer = await http.GetAsync($"api/v1/query?query={Uri.EscapeDataString(expression)}", cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{expression}: {text}");
            if (JsonDocument.Parse(text).RootElement.GetProperty("data").GetProperty("result").GetArrayLength() > 0) return;
        }
        throw new TimeoutException($"{expression} has no value");
    }

    static double Value(JsonElement sample) => double.Parse(sample.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);

    /// <summary>JSON is YAML.</summary>
    static string Configuration(IEnumerable<object> scrapes) => JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["global"] = new { scrape_interval = "1s", scrape_timeout = "1s", evaluation_interval = "1s" },
        ["rule_files"] = new[] { "rules.yaml" },
        ["scrape_configs"] = scrapes.ToArray(),
    });

    static bool IsScraped(JsonElement pod) =>
        Annotation(pod, "scrape") == "true" && pod.GetProperty("status").GetProperty("phase").GetString() == "Running";

    static object ScrapeConfig(JsonElement pod)
    {
        var name = pod.GetProperty("metadata").GetProperty("name").GetString()!;
        var address = $"{pod.GetProperty("status").GetProperty("podIP").GetString()}:{Annotation(pod, "port")}";
        var job = Job(pod.GetProperty("metadata"));
        return new
        {
            job_name = name,
            honor_labels = true,
            metrics_path = Annotation(pod, "path") ?? "/metrics",
            static_configs = new[] { new { targets = new[] { address }, labels = new { job, pod = name } } },
        };
    }

    /// <summary>As the chart's PodMonitor has it for members, one job a cluster.</summary>
    static string Job(JsonElement metadata)
    {
        var labels = metadata.GetProperty("labels");
        return labels.TryGetProperty("storecluster.io/cluster", out var cluster)
            ? $"etcd/{metadata.GetProperty("namespace").GetString()}/{cluster.GetString()}"
            : labels.GetProperty("app.kubernetes.io/name").GetString()!;
    }

    static string? Annotation(JsonElement pod, string name) =>
        pod.GetProperty("metadata").TryGetProperty("annotations", out var all) && all.TryGetProperty($"prometheus.io/{name}", out var value) ? value.GetString() : null;

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
