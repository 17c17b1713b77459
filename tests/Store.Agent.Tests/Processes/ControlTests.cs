using System.Security.Cryptography.X509Certificates;
using LocalCluster;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>What the agent may be asked to do where members speak TLS: by those with a certificate, and by nobody in clear.</summary>
public sealed class ControlTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-control-");
    readonly ClusterCertificates certificates = new();

    [Fact]
    public async Task With_certificates_a_full_backup_is_taken_for_those_who_show_one_and_not_in_clear()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var control = $"https://127.0.0.1:{Ports.Take()}";
        await using var agent = Agent($"--listen-control-urls={control}");
        await agent.WaitAsync("it serves", _ => true, cancelled);

        Assert.Equal(403, await agent.PostAsync("/full?after=", null, cancelled));
        Assert.Equal(202, await PostAsync(control, "client", cancelled));
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(control, null, cancelled));
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(control, "peer", cancelled));
        Assert.Equal("{\"health\":\"true\"}", await agent.GetAsync("/health", cancelled));

        // As a Secret that is replaced under a running agent.
        certificates.Announce();
        certificates.Reissue();
        certificates.Retire();
        Assert.Equal(202, await PostAsync(control, "client", cancelled));
    }

    [Fact]
    public async Task Without_a_control_endpoint_an_agent_with_certificates_takes_no_requests()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var agent = Agent();
        await agent.WaitAsync("it serves", _ => true, cancelled);
        Assert.Equal(403, await agent.PostAsync("/full?after=", null, cancelled));
    }

    [Theory]
    [InlineData("http://127.0.0.1:2386", "must be https with an address")]
    [InlineData("https://localhost:2386", "must be https with an address")]
    public async Task A_control_endpoint_that_would_not_be_one_is_refused(string url, string why)
    {
        var said = await Shell.RunAsync(
            Binaries.Store, ["agent", $"--location={folder.FullName}", $"--scratch-dir={Path.Combine(folder.FullName, "scratch")}", $"--listen-metrics-urls=http://127.0.0.1:{Ports.Take()}", $"--listen-control-urls={url}", .. Certificates],
            null, TimeSpan.FromSeconds(30), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Contains(why, said.Error, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        certificates.Dispose();
        folder.Delete(recursive: true);
    }

    string[] Certificates => [$"--cacert={certificates.Files["clients-ca.crt"]}", $"--cert={certificates.Files["server.crt"]}", $"--key={certificates.Files["server.key"]}"];

    /// <summary>Its member is not there: what it serves does not depend on that.</summary>
    AgentUnderTest Agent(params string[] flags) =>
        new($"https://127.0.0.1:{Ports.Take()}", folder.FullName, Path.Combine(folder.FullName, "scratch"), [.. Certificates, .. flags]);

    /// <param name="shown">A certificate by its file's name; null for none.</param>
    async Task<int> PostAsync(string control, string? shown, CancellationToken cancelled)
    {
        using var handler = new SocketsHttpHandler();
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(certificates.Files["clients-ca.crt"]);
        handler.SslOptions.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        if (shown is not null) handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificates.Files[$"{shown}.crt"], certificates.Files[$"{shown}.key"])];
        using var http = new HttpClient(handler);
        using var answer = await http.PostAsync(new Uri($"{control}/full?after="), null, cancelled);
        return (int)answer.StatusCode;
    }
}
