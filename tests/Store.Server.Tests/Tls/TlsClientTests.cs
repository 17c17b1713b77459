using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>A real process whose client port speaks TLS.</summary>
public sealed class TlsClientTests : IDisposable
{
    readonly TestAuthority authority = new("authority");
    readonly TestAuthority stranger = new("stranger");
    readonly CertificateFolder files = new();

    public TlsClientTests()
    {
        files.Write("server", authority.Sign("server"));
        files.Write("ca.crt", authority.Pem);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    string[] Mutual => [.. files.Flags("server"), "--client-cert-auth", "--trusted-ca-file=" + files["ca.crt"]];

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task ALPN_chooses_the_version_on_the_client_port_and_on_the_metrics_port(string version)
    {
        var metricsUrl = $"https://127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var store = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), "--listen-metrics-urls=" + metricsUrl]);
        using var http = Http(null, Version.Parse(version));
        foreach (var url in new[] { store.Url, metricsUrl })
        {
            using var answer = await http.GetAsync(url + "/health", Token);
            Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (answer.StatusCode, answer.Version));
        }

        Assert.Contains("serving client traffic securely", store.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_process_serves_clients_in_clear_and_over_TLS_at_once()
    {
        var (secured, clear) = ($"https://127.0.0.1:{StoreUnderTest.FreePort()}", $"http://127.0.0.1:{StoreUnderTest.FreePort()}");
        await using var store = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), $"--listen-client-urls={secured},{clear}"]);
        using var writing = GrpcChannel.ForAddress(clear);
        await new KV.KVClient(writing).PutAsync(new() { Key = ByteString.CopyFromUtf8("a"), Value = ByteString.CopyFromUtf8("v") }, cancellationToken: Token);
        using var reading = GrpcChannel.ForAddress(secured, new() { HttpClient = Http(null), DisposeHttpClient = true });
        Assert.Equal("v", Assert.Single((await new KV.KVClient(reading).RangeAsync(new() { Key = ByteString.CopyFromUtf8("a") }, cancellationToken: Token)).Kvs).Value.ToStringUtf8());
        using var http = Http(null, HttpVersion.Version11);
        foreach (var url in new[] { secured, clear }) Assert.Contains("true", await http.GetStringAsync(url + "/health", Token), StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(secured.Replace("https", "http", StringComparison.Ordinal) + "/health", Token));
    }

    /// <summary>How kubelets and Prometheus ask, which have no certificate of ours.</summary>
    [Fact]
    public async Task Health_and_metrics_are_served_in_clear_on_a_port_of_their_own_beside_clients_with_certificates()
    {
        var metricsUrl = $"http://127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var store = await StoreUnderTest.StartAsync(Token, [.. Mutual, "--listen-metrics-urls=" + metricsUrl]);
        using var http = new HttpClient();
        Assert.Equal("""{"health":"true","reason":""}""", await http.GetStringAsync(metricsUrl + "/health", Token));
        foreach (var path in new[] { "/livez", "/readyz", "/readyz?verbose" }) Assert.Contains("ok", await http.GetStringAsync(metricsUrl + path, Token), StringComparison.Ordinal);
        Assert.Contains("\netcd_server_has_leader", await http.GetStringAsync(metricsUrl + "/metrics", Token), StringComparison.Ordinal);
        // Nothing else: it would be a way in without a certificate.
        using var call = new HttpRequestMessage(HttpMethod.Post, metricsUrl + "/etcdserverpb.KV/Range")
        {
            Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new("application/grpc") } },
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await http.SendAsync(call, Token);
        Assert.False(answer.TrailingHeaders.TryGetValues("grpc-status", out var status) && status.Single() == "0", $"{answer}");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task The_gateway_answers_behind_the_same_certificates(string version)
    {
        using var known = authority.Sign("known");
        await using var store = await StoreUnderTest.StartAsync(Token, Mutual);
        using var http = Http(known, Version.Parse(version));
        async Task<string> AskAsync(string path, string body)
        {
            using var answer = await http.PostAsync(store.Url + path, new StringContent(body), Token);
            return await answer.Content.ReadAsStringAsync(Token);
        }

        Assert.Contains("\"revision\":\"2\"", await AskAsync("/v3/kv/put", """{"key":"YQ==","value":"Yg=="}"""), StringComparison.Ordinal);
        Assert.Contains("\"value\":\"Yg==\"", await AskAsync("/v3/kv/range", """{"key":"YQ=="}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_TLS_is_not_served_on_a_port_with_it()
    {
        await using var store = await StoreUnderTest.StartAsync(Token, files.Flags("server"));
        using var http = new HttpClient();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetAsync(store.Url.Replace("https", "http", StringComparison.Ordinal) + "/health", Token));
        using var secured = Http(null);
        Assert.Contains("true", await secured.GetStringAsync(store.Url + "/health", Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_clients_of_the_trusted_authority_are_let_in_and_each_refusal_is_one_line()
    {
        using var known = authority.Sign("known");
        using var late = authority.Sign("late", TimeSpan.FromHours(-1));
        using var unknown = stranger.Sign("unknown");
        await using var store = await StoreUnderTest.StartAsync(Token, Mutual);

        Assert.Contains("true", await HealthAsync(store, known), StringComparison.Ordinal);
        await RefusedAsync(store, null, "no certificate was shown");
        await RefusedAsync(store, unknown, "certificate of \\\"CN=unknown\\\"");
        await RefusedAsync(store, late, "certificate of \\\"CN=late\\\"");
    }

    [Fact]
    public async Task Clients_must_carry_one_of_the_allowed_hosts()
    {
        using var allowed = authority.Sign("allowed", null, "app.example.com");
        using var other = authority.Sign("other", null, "web.example.com");
        await using var store = await StoreUnderTest.StartAsync(Token, [.. Mutual, "--client-cert-allowed-hostname=x.example.com,app.example.com"]);

        Assert.Contains("true", await HealthAsync(store, allowed), StringComparison.Ordinal);
        await RefusedAsync(store, other, "it is for none of the hosts in --client-cert-allowed-hostname");
    }

    [Fact]
    public async Task A_silent_client_is_cut_off_and_keeps_nobody_waiting()
    {
        await using var store = await StoreUnderTest.StartAsync(Token, files.Flags("server"));
        using var silent = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, store.ClientPort, Token);
        using var http = Http(null);
        Assert.Contains("true", await http.GetStringAsync(store.Url + "/health", Token), StringComparison.Ordinal);

        Assert.Equal(0, await silent.GetStream().ReadAsync(new byte[1], Token).AsTask().WaitAsync(2 * TlsListening.HandshakeTimeMax, Token));
        await Until(() => store.Output.Contains("it took too long", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Versions_and_cipher_suites_are_those_of_the_flags()
    {
        await using var store = await StoreUnderTest.StartAsync(
            Token, [.. files.Flags("server"), "--tls-max-version=TLS1.2", "--cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, store.ClientPort, Token);
        await using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1" }, Token);
        Assert.Equal((SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), (tls.SslProtocol, tls.NegotiatedCipherSuite));
    }

    [Fact]
    public async Task A_certificate_is_made_when_auto_tls_asks_for_one_and_kept_for_the_next_start()
    {
        await using var store = await StoreUnderTest.StartAsync(Token, "--auto-tls", "--self-signed-cert-validity=2");
        using var http = Http(null);
        Assert.Contains("true", await http.GetStringAsync(store.Url + "/health", Token), StringComparison.Ordinal);
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(store.Folder, "fixtures", "client", "cert.pem"));
        Assert.InRange(certificate.NotAfter, DateTime.Now.AddDays(729), DateTime.Now.AddDays(733));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
    }

    static async Task<string> HealthAsync(StoreUnderTest store, X509Certificate2? certificate)
    {
        using var http = Http(certificate);
        return await http.GetStringAsync(store.Url + "/health", Token);
    }

    static async Task RefusedAsync(StoreUnderTest store, X509Certificate2? certificate, string reason)
    {
        var exception = await Record.ExceptionAsync(() => HealthAsync(store, certificate));
        Assert.IsAssignableFrom<HttpRequestException>(exception);
        await Until(() => store.Output.Contains(reason, StringComparison.Ordinal));
        Assert.Single(store.Output.Split('\n'), line => line.Contains("rejected connection", StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal));
    }

    internal static HttpClient Http(X509Certificate2? certificate, Version? version = null)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } };
        if (certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return new(handler) { DefaultRequestVersion = version ?? HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
    }

    internal static async Task Until(Func<bool> holds)
    {
        var deadline = DateTime.UtcNow.AddSeconds(15);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < deadline, "the condition did not come to hold");
            await Task.Delay(20, Token);
        }
    }

    public void Dispose()
    {
        files.Dispose();
        authority.Dispose();
        stranger.Dispose();
    }
}
