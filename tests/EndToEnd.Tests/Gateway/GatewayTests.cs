using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The JSON gateway and plain HTTP, beside etcd's.</summary>
public sealed class GatewayTests
{
    static readonly string RequestsFile = Path.Combine(Binaries.RepositoryRoot, "tests/EndToEnd.Tests/Gateway/requests.txt");

    [Fact]
    public Task Who_speaks_JSON_hears_from_the_store_what_it_hears_from_etcd() => CompareAsync(Product.Store);

    /// <summary>If etcd differed from itself, the comparison would be asking for chance.</summary>
    [Fact]
    public Task Who_speaks_JSON_hears_the_same_from_two_etcds() => CompareAsync(Product.Etcd);

    static async Task CompareAsync(Product product)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 1, cancellationToken);
        await using var other = await LoopbackCluster.StartAsync(product, 1, cancellationToken);
        using var expecting = new HttpConversation(etcd[0]);
        using var finding = new HttpConversation(other[0]);
        var differences = new StringBuilder();
        foreach (var exchange in HttpConversation.Read(RequestsFile))
        {
            var answers = await Task.WhenAll(expecting.SayAsync(exchange, cancellationToken), finding.SayAsync(exchange, cancellationToken));
            if (answers[0] != answers[1]) differences.AppendLine($"--- {exchange}\nexpected:\n{answers[0]}\nfound:\n{answers[1]}");
        }

        Assert.True(differences.Length == 0, differences.ToString());
    }

    [Fact]
    public async Task Curl_watches_and_sees_what_curl_puts()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        var watching = CurlAsync("-N", "--max-time", "5", $"{store[0].ClientUrl}/v3/watch", "-d", """{"create_request":{"key":"Zm9v"}}""");
        var puts = 0;
        while (!watching.IsCompleted)
        {
            Assert.Contains("\"revision\"", (await CurlAsync($"{store[0].ClientUrl}/v3/kv/put", "-d", """{"key":"Zm9v","value":"YmFy"}""")).Output, StringComparison.Ordinal);
            puts++;
        }

        var lines = (await watching).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("\"created\":true", lines[0], StringComparison.Ordinal);
        Assert.InRange(lines.Length, 2, puts + 1);
        Assert.All(lines[1..], line => Assert.Contains("\"events\":[{\"kv\":{\"key\":\"Zm9v\",", line, StringComparison.Ordinal));
    }

    static Task<ShellResult> CurlAsync(params string[] arguments) => Shell.RunAsync("curl", ["-s", .. arguments], null, TimeSpan.FromSeconds(30));

    [Fact]
    public async Task A_snapshot_taken_as_JSON_is_whole()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        using var http = new HttpClient { BaseAddress = new(store[0].ClientUrl) };
        using var response = await http.PostAsync("/v3/maintenance/snapshot", null, cancellationToken);
        var bytes = new List<byte>();
        foreach (var line in (await response.Content.ReadAsStringAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            bytes.AddRange(JsonDocument.Parse(line).RootElement.GetProperty("result").GetProperty("blob").GetBytesFromBase64());

        var all = bytes.ToArray();
        Assert.True(all.Length > 4096);
        Assert.Equal(SHA256.HashData(all.AsSpan(..^32)), all[^32..]);
    }

    [Fact]
    public async Task A_large_range_has_every_row_in_order()
    {
        const int Keys = 3000;
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        var kv = new Store.Protocol.Etcdserverpb.KV.KVClient(store[0].Channel);
        var value = ByteString.CopyFrom(new byte[1000]);
        for (var i = 0; i < Keys; i++) await kv.PutAsync(new() { Key = ByteString.CopyFromUtf8($"key-{i:d8}"), Value = value }, cancellationToken: cancellationToken);

        using var http = new HttpClient { BaseAddress = new(store[0].ClientUrl) };
        using var response = await http.PostAsync("/v3/kv/range", new StringContent("""{"key":"AA==","range_end":"AA==","limit":2500}"""), cancellationToken);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        Assert.Equal(["header", "kvs", "more", "count"], json.RootElement.EnumerateObject().Select(field => field.Name));
        Assert.Equal($"{Keys}", json.RootElement.GetProperty("count").GetString());
        var keys = json.RootElement.GetProperty("kvs").EnumerateArray().Select(row => Encoding.UTF8.GetString(row.GetProperty("key").GetBytesFromBase64())).ToArray();
        Assert.Equal(Enumerable.Range(0, 2500).Select(i => $"key-{i:d8}"), keys);
    }

    [Fact]
    public async Task A_browser_watches_over_a_WebSocket()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new($"ws://{store[0].Endpoint}/v3/watch"), cancellationToken);
        await SendAsync("""{"create_request":{"key":"Zm9v"}}""");
        Assert.Contains("\"created\":true", await ReceiveAsync(), StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = new(store[0].ClientUrl) };
        (await http.PostAsync("/v3/kv/put", new StringContent("""{"key":"Zm9v","value":"YmFy"}"""), cancellationToken)).EnsureSuccessStatusCode();
        Assert.Contains("\"value\":\"YmFy\"", await ReceiveAsync(), StringComparison.Ordinal);
        await SendAsync("""{"cancel_request":{"watch_id":0}}""");
        Assert.Contains("\"canceled\":true", await ReceiveAsync(), StringComparison.Ordinal);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
        Assert.Equal(WebSocketState.Closed, socket.State);

        Task SendAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

        async Task<string> ReceiveAsync()
        {
            var buffer = new byte[64 * 1024];
            var received = await socket.ReceiveAsync(buffer, cancellationToken);
            return Encoding.UTF8.GetString(buffer, 0, received.Count);
        }
    }

    [Fact]
    public async Task Pages_and_names_that_were_not_asked_in_stay_out()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await LoopbackCluster.StartAsync(
            Product.Store, 1, cancellationToken, null, "--cors=http://a.example,http://b.example", "--host-whitelist=127.0.0.1,db.example", "--enable-grpc-gateway=false");
        using var http = new HttpClient { BaseAddress = new(store[0].ClientUrl) };
        Assert.Equal("http://b.example", await AllowedAsync("http://b.example"));
        Assert.Null(await AllowedAsync("http://c.example"));
        Assert.Equal(200, await StatusAsync("db.example", "/health"));
        Assert.Equal(421, await StatusAsync("evil.example", "/health"));
        Assert.Equal(404, await StatusAsync("db.example", "/v3/kv/range"));

        async Task<string?> AllowedAsync(string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { { "Origin", origin } } };
            using var response = await http.SendAsync(request, cancellationToken);
            return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
        }

        async Task<int> StatusAsync(string host, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            using var response = await http.SendAsync(request, cancellationToken);
            return (int)response.StatusCode;
        }
    }
}
