using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Certificates, keys, authorities and revocation lists are replaced under load. TLS_ROTATIONS sets how often (30).</summary>
public sealed class TlsRotationTests : IDisposable
{
    static readonly int Rotations = int.TryParse(Environment.GetEnvironmentVariable("TLS_ROTATIONS"), out var count) ? count : 30;

    readonly CertificateFolder files = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leaf_and_authority_rotate_under_load_and_no_request_fails()
    {
        var authority = new TestAuthority("authority 0");
        Issue(authority);
        files.Write("ca.crt", authority.Pem);
        await using var store = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), "--client-cert-auth", "--trusted-ca-file=" + files["ca.crt"]]);
        using var stopping = new CancellationTokenSource();
        var counts = new long[6];
        // Half of them keep their connection through all rotations; the others shake hands for every request.
        Task[] load = [.. Enumerable.Range(0, counts.Length).Select(worker => Task.Run(() => LoadAsync(store.Url, keep: worker % 2 == 0, () => counts[worker]++, stopping.Token), Token))];
        for (var i = 1; i <= Rotations; i++)
        {
            var next = new TestAuthority($"authority {i}");
            files.Write("ca.crt", authority.Pem + next.Pem);
            await EverybodyAsync(counts, load);
            Issue(next);
            await EverybodyAsync(counts, load);
            files.Write("ca.crt", next.Pem);
            await EverybodyAsync(counts, load);
            authority.Dispose();
            authority = next;
        }

        await stopping.CancelAsync();
        await Task.WhenAll(load);
        Assert.Contains($"CN=server of authority {Rotations}\"", store.Output.Replace("\\\"", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
        authority.Dispose();
    }

    [Fact]
    public async Task A_revoked_client_is_refused_from_its_next_handshake_on_and_keeps_its_open_connection()
    {
        using var authority = new TestAuthority("authority");
        using var other = authority.Sign("other");
        using var client = authority.Sign("client");
        files.Write("server", authority.Sign("server"));
        files.Write("ca.crt", authority.Pem);
        files.Write("crl.pem", authority.Revoke());
        var metricsUrl = $"https://127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var store = await StoreUnderTest.StartAsync(
            Token,
            [.. files.Flags("server"), "--trusted-ca-file=" + files["ca.crt"], "--client-crl-file=" + files["crl.pem"], "--listen-metrics-urls=" + metricsUrl]);
        using var open = TlsClientTests.Http(client);
        await open.GetStringAsync(store.Url + "/health", Token);
        files.Write("crl.pem", authority.Revoke(client));

        await open.GetStringAsync(store.Url + "/health", Token);
        foreach (var url in new[] { store.Url, metricsUrl })
        {
            foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
            {
                using var anew = TlsClientTests.Http(client, version);
                await Assert.ThrowsAsync<HttpRequestException>(() => anew.GetStringAsync(url + "/health", Token));
                using var unharmed = TlsClientTests.Http(other, version);
                await unharmed.GetStringAsync(url + "/health", Token);
            }
        }

        // At least: over HTTP/1.1 the client tries again by itself.
        await TlsClientTests.Until(() => store.Output.Split('\n').Count(line => line.Contains("rejected connection", StringComparison.Ordinal) && line.Contains(": revoked", StringComparison.Ordinal)) >= 4);
    }

    [Fact]
    public async Task A_file_that_is_half_written_or_gone_leaves_the_old_one_in_use_and_is_told_once()
    {
        using var authority = new TestAuthority("authority");
        files.Write("server", authority.Sign("server"));
        await using var store = await StoreUnderTest.StartAsync(Token, files.Flags("server"));
        var whole = await File.ReadAllTextAsync(files["server.crt"], Token);
        files.Write("server.crt", whole[..(whole.Length / 2)]);
        for (var i = 0; i < 3; i++) await HealthyAsync();
        File.Delete(files["server.key"]);
        for (var i = 0; i < 3; i++) await HealthyAsync();
        files.Write("server", authority.Sign("renewed"));
        await HealthyAsync();

        var kept = store.Output.Split('\n').Where(line => line.Contains("the ones before stay in use", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, kept.Count);
        Assert.Contains("inside a PEM block", kept[0], StringComparison.Ordinal);
        Assert.Contains("no such file", kept[1], StringComparison.Ordinal);
        Assert.Contains("CN=renewed", store.Output, StringComparison.Ordinal);

        async Task HealthyAsync()
        {
            using var http = TlsClientTests.Http(null);
            await http.GetStringAsync(store.Url + "/health", Token);
        }
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_one_clear_line_at_start()
    {
        using var authority = new TestAuthority("authority");
        files.Write("server", authority.Sign("server"));
        files.Write("other", authority.Sign("other"));
        files.Write("empty.crt", "");
        Assert.Equal($"store: --key-file {files["gone.key"]}: no such file\n", await ErrorAsync(files["server.crt"], files["gone.key"]));
        Assert.Equal(
            $"store: --key-file {files["other.key"]}: not the private key of the certificate in --cert-file {files["server.crt"]}; give the two that were made together\n",
            await ErrorAsync(files["server.crt"], files["other.key"]));
        Assert.Equal($"store: --cert-file {files["empty.crt"]}: no certificate in it; PEM is expected\n", await ErrorAsync(files["empty.crt"], files["server.key"]));
        files.Write("late", authority.Sign("late", TimeSpan.FromHours(-1)));
        await using var store = await StoreUnderTest.StartAsync(Token, files.Flags("late"));
        Assert.Single(store.Output.Split('\n'), line => line.Contains("the certificate expired at", StringComparison.Ordinal));

        async Task<string> ErrorAsync(string cert, string key)
        {
            var url = $"https://127.0.0.1:{StoreUnderTest.FreePort()}";
            var (code, _, error) = await StoreUnderTest.RunAsync(
                StoreUnderTest.Executable,
                [$"--data-dir={files["data"]}", $"--listen-client-urls={url}", $"--advertise-client-urls={url}", $"--cert-file={cert}", $"--key-file={key}", "--log-level=error"],
                null, Token);
            Assert.Equal(1, code);
            return error;
        }
    }

    /// <summary>The certificate is there a moment before its key, as where a secret is copied file by file.</summary>
    void Issue(TestAuthority authority)
    {
        var name = authority.Certificate.GetNameInfo(X509NameType.SimpleName, false);
        using var client = authority.Sign("client");
        File.WriteAllBytes(files["client.pfx.new"], client.Export(X509ContentType.Pfx));
        File.Move(files["client.pfx.new"], files["client.pfx"], overwrite: true);
        files.Write("server", authority.Sign("server of " + name));
    }

    async Task LoadAsync(string url, bool keep, Action done, CancellationToken stopping)
    {
        using var kept = Client();
        while (!stopping.IsCancellationRequested)
        {
            using var fresh = keep ? null : Client();
            using var put = new HttpRequestMessage(HttpMethod.Post, url + "/etcdserverpb.KV/Put")
            {
                Content = new ByteArrayContent(Framed(new PutRequest { Key = ByteString.CopyFromUtf8("k") })),
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            put.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            using var answer = await (fresh ?? kept).SendAsync(put, Token);
            await answer.Content.ReadAsByteArrayAsync(Token);
            Assert.True(answer.TrailingHeaders.TryGetValues("grpc-status", out var status) && status.Single() == "0", $"{answer}");
            done();
        }
    }

    /// <summary>Trusts what the authority's file holds now, and shows the newest client certificate.</summary>
    HttpClient Client()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(files["ca.crt"]);
        var certificate = X509CertificateLoader.LoadPkcs12FromFile(files["client.pfx"], null);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy, ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) },
        };
        return new(handler);
    }

    static byte[] Framed(PutRequest message)
    {
        var framed = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)(framed.Length - 5));
        message.WriteTo(framed.AsSpan(5));
        return framed;
    }

    /// <summary>Every worker has begun and ended a request since.</summary>
    static async Task EverybodyAsync(long[] counts, Task[] load)
    {
        var before = counts.Select((_, i) => Interlocked.Read(ref counts[i])).ToArray();
        await TlsClientTests.Until(() => load.Any(worker => worker.IsFaulted) || Enumerable.Range(0, counts.Length).All(i => Interlocked.Read(ref counts[i]) >= before[i] + 2));
        foreach (var worker in load.Where(worker => worker.IsFaulted)) await worker;
    }

    public void Dispose() => files.Dispose();
}
