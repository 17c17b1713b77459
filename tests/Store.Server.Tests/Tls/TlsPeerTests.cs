using System.Text;
using LocalCluster;
using Microsoft.Extensions.Logging;
using Store.State;
using Xunit;
using static Store.Server.Tests.NodeCluster;

namespace Store.Server.Tests;

/// <summary>Whole members whose peer ports speak TLS.</summary>
public sealed class TlsPeerTests : IDisposable
{
    readonly TestAuthority authority = new("authority");
    readonly TestAuthority stranger = new("stranger");
    readonly CertificateFolder files = new();
    readonly MemoryStream log = new();
    readonly ILogger logger;

    public TlsPeerTests()
    {
        files.Write("ca.crt", authority.Pem);
        files.Write("peer", authority.Sign("peer"));
        logger = new LogLines([LogOutput.To(log)], new(), TimeProvider.System).CreateLogger("Store");
    }

    TlsOptions Mutual => new()
    {
        FlagPrefix = "peer-",
        CertFile = files["peer.crt"],
        KeyFile = files["peer.key"],
        TrustedCaFile = files["ca.crt"],
        ClientCertAuth = true,
        AllowedCommonNames = ["other", "peer"],
    };

    string Output => Encoding.UTF8.GetString(log.ToArray());

    [Fact]
    public async Task Members_with_certificates_elect_replicate_and_come_back()
    {
        await using var cluster = await NodeCluster.StartAsync(3, tls: Mutual, logger: logger);
        var (leader, follower) = await cluster.RolesAsync();
        Assert.Equal(StoreError.None, (await PutAsync(cluster[leader], "a", "1")).Error);
        await UntilAsync(() => cluster.Running.All(node => Count(node) == 1), "everybody has it");
        await cluster.StopAsync(follower);
        for (var i = 0; i < 100; i++) await PutAsync(cluster[leader], $"b{i}", "2");
        await cluster.StartAsync(follower, cluster.Options(follower, Enumerable.Range(0, 3)));
        await UntilAsync(() => Count(cluster[follower]) == 101, "the member has caught up by a snapshot or by the log");
    }

    [Fact]
    public async Task Only_allowed_names_of_the_trusted_authority_reach_the_peer_port_HTTP_included()
    {
        await using var cluster = await NodeCluster.StartAsync(1, tls: Mutual, logger: logger);
        using var known = authority.Sign("peer");
        using var misnamed = authority.Sign("intruder");
        using var unknown = stranger.Sign("peer");
        using var elsewhere = authority.Sign("peer", null, "192.0.2.1");
        using var http = TlsClientTests.Http(known, new(1, 1));
        Assert.Contains("etcdserver", await http.GetStringAsync(cluster.Url(0) + "/version", Cancellation), StringComparison.Ordinal);

        await RefusedAsync(misnamed, "its common name is not among --peer-cert-allowed-cn");
        await RefusedAsync(unknown, "certificate of \\\"CN=peer\\\" (serial " + unknown.SerialNumber.ToLowerInvariant());
        await RefusedAsync(elsewhere, "none of its names (192.0.2.1) is 127.0.0.1");
        await RefusedAsync(null, "no certificate was shown");

        async Task RefusedAsync(System.Security.Cryptography.X509Certificates.X509Certificate2? certificate, string reason)
        {
            using var refused = TlsClientTests.Http(certificate, new(1, 1));
            await Assert.ThrowsAsync<HttpRequestException>(() => refused.GetStringAsync(cluster.Url(0) + "/version", Cancellation));
            await UntilAsync(() => Output.Contains(reason, StringComparison.Ordinal), reason);
            Assert.All(Output.Split('\n').Where(line => line.Contains(reason, StringComparison.Ordinal)), line => Assert.Contains("rejected connection", line, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Peers_must_carry_one_of_the_allowed_hosts_and_must_not_be_revoked()
    {
        using var known = authority.Sign("known", null, "127.0.0.1", "localhost");
        using var elsewhere = authority.Sign("elsewhere", null, "127.0.0.1");
        using var revoked = authority.Sign("revoked", null, "127.0.0.1", "localhost");
        files.Write("crl.pem", authority.Revoke());
        var options = Mutual with { AllowedCommonNames = [], AllowedHostNames = ["peer.example.com", "localhost"], CrlFile = files["crl.pem"] };
        await using var cluster = await NodeCluster.StartAsync(1, tls: options, logger: logger);
        await AnswersAsync(known);
        await AnswersAsync(revoked);
        files.Write("crl.pem", authority.Revoke(revoked));
        await AnswersAsync(known);
        await Assert.ThrowsAsync<HttpRequestException>(() => AnswersAsync(revoked));
        await Assert.ThrowsAsync<HttpRequestException>(() => AnswersAsync(elsewhere));
        await UntilAsync(() => Output.Contains(": revoked", StringComparison.Ordinal), "the revoked one is told of");
        await UntilAsync(() => Output.Contains("it is for none of the hosts in --peer-cert-allowed-hostname", StringComparison.Ordinal), "the one of another host is told of");

        async Task AnswersAsync(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
        {
            using var http = TlsClientTests.Http(certificate, new(1, 1));
            await http.GetStringAsync(cluster.Url(0) + "/version", Cancellation);
        }
    }

    [Fact]
    public async Task A_member_learns_of_its_cluster_over_TLS_when_it_joins()
    {
        await using var cluster = await NodeCluster.StartAsync(1, spare: 1, tls: Mutual, logger: logger);
        await cluster.LeaderAsync();
        using var known = authority.Sign("peer");
        var joined = await Record.ExceptionAsync(() => cluster.StartAsync(1, cluster.Options(1, [0, 1]) with { InitialClusterState = InitialClusterState.Existing }));
        Assert.Contains("no member of cluster", Assert.IsType<BootException>(joined).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peers_talk_with_certificates_of_their_own_making_when_auto_tls_says_so()
    {
        await using var cluster = await NodeCluster.StartAsync(2, tls: new() { FlagPrefix = "peer-", SelfSigned = true }, logger: logger);
        Assert.Equal(StoreError.None, (await PutAsync(await cluster.LeaderAsync(), "a", "1")).Error);
        await UntilAsync(() => cluster.Running.All(node => Count(node) == 1), "both have it");
    }

    public void Dispose()
    {
        files.Dispose();
        authority.Dispose();
        stranger.Dispose();
        log.Dispose();
    }
}
