using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace EndToEnd.Tests;

/// <summary>Debian's Prometheus, finding what to scrape in the cluster by itself: pods that say `prometheus.io/scrape: "true"`.</summary>
sealed class Prometheus : IAsyncDisposable
{
    readonly Process process;
    readonly string folder;
    readonly HttpClient http;

    Prometheus(Process process, string folder, HttpClient http) => (this.process, this.folder, this.http) = (process, folder, http);

    public static async Task<Prometheus> StartAsync(string kubeConfig, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("prometheus-").FullName;
        var configuration = Path.Combine(folder, "prometheus.yaml");
        await File.WriteAllTextAsync(configuration, Configuration(kubeConfig), cancellationToken);
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

    static double Value(JsonElement sample) => double.Parse(sample.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);

    static string Configuration(string kubeConfig) =>
        $$"""
        global: {scrape_interval: 1s, scrape_timeout: 1s}
        scrape_configs:
        - job_name: pods
          kubernetes_sd_configs: [{role: pod, kubeconfig_file: {{kubeConfig}}}]
          relabel_configs:
          - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: "true"}
          - {source_labels: [__meta_kubernetes_pod_phase], action: keep, regex: Running}
          - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
            action: replace
            separator: ":"
            target_label: __address__
          - {source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], action: replace, regex: (.+), target_label: __metrics_path__}
          - {source_labels: [__address__], action: replace, target_label: instance}
          - {source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name], action: replace, target_label: job}
          - {source_labels: [__meta_kubernetes_pod_name], action: replace, target_label: pod}
        """;

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
