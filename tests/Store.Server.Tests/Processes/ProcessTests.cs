using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Store.Server.Tests;

public class ProcessTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SIGTERM_ends_the_process_with_exit_code_zero()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        Assert.Equal(0, await store.StopAsync(Token));
    }

    [Fact]
    public async Task A_taken_port_is_one_clear_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var url = $"http://127.0.0.1:{port}";
        var (code, _, error) = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable, [$"--listen-client-urls={url}", $"--advertise-client-urls={url}", "--log-level=error"], null, Token);
        Assert.Equal(1, code);
        Assert.Equal($"store: listen tcp 127.0.0.1:{port}: bind: address already in use; stop the process that holds it or change --listen-client-urls\n", error);
    }

    [Fact]
    public async Task An_unknown_flag_is_one_clear_line()
    {
        var (code, _, error) = await StoreUnderTest.RunAsync(StoreUnderTest.Executable, ["--nmae=x"], null, Token);
        Assert.Equal((1, "store: unknown flag --nmae; did you mean --name?\n"), (code, error));
    }

    [Fact]
    public async Task The_version_goes_to_standard_output()
    {
        var (code, output, _) = await StoreUnderTest.RunAsync(StoreUnderTest.Executable, ["--version"], null, Token);
        Assert.Equal(0, code);
        Assert.StartsWith("etcd Version: 3.7.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_warm_up_asks_over_gRPC_what_clients_will_ask()
    {
        await using var store = await StoreUnderTest.StartAsync(Token, "--warmup-duration=500ms");
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(store.Url + "/metrics", Token);
        foreach (var method in new[] { "Range", "DeleteRange", "Txn" })
            Assert.Matches($$"""grpc_server_handled_total\{[^}]*grpc_method="{{method}}"[^}]*\} [1-9]""", metrics);
        Assert.DoesNotContain("is not supported", store.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_version_and_metrics_are_served_over_http1_beside_gRPC_and_on_the_metrics_port()
    {
        var metricsUrl = $"http://127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var store = await StoreUnderTest.StartAsync(Token, "--listen-metrics-urls=" + metricsUrl);
        using var http = new HttpClient();
        foreach (var url in new[] { store.Url, metricsUrl })
        {
            Assert.Equal("""{"health":"true","reason":""}""", await http.GetStringAsync(url + "/health", Token));
            Assert.Equal("""{"health":"true","reason":""}""", await http.GetStringAsync(url + "/health?serializable=true&exclude=NOSPACE", Token));
            Assert.Equal("ok\n", await http.GetStringAsync(url + "/livez", Token));
            Assert.Equal("[+]serializable_read ok\nok\n", await http.GetStringAsync(url + "/livez?verbose", Token));
            Assert.Equal(
                "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n", await http.GetStringAsync(url + "/readyz?verbose", Token));
            Assert.Equal("ok\n", await http.GetStringAsync(url + "/readyz/linearizable_read", Token));
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(url + "/readyz/nothing", Token)).StatusCode);
            Assert.Contains("\"etcdserver\":\"3.7.", await http.GetStringAsync(url + "/version", Token), StringComparison.Ordinal);
            PrometheusText.Check(await http.GetStringAsync(url + "/metrics", Token));
        }

        using var grpc = new HttpRequestMessage(HttpMethod.Post, metricsUrl + "/etcdserverpb.KV/Range") { Version = new(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        grpc.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
        grpc.Content.Headers.ContentType = new("application/grpc");
        using var refused = await http.SendAsync(grpc, Token);
        Assert.Equal("12", refused.Headers.GetValues("grpc-status").Single());
    }
}
