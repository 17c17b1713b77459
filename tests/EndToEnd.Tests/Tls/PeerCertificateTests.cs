using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Who may be a member is a matter of certificates where peers speak TLS.</summary>
public sealed class PeerCertificateTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_member_with_a_certificate_of_another_authority_stays_outside_until_it_gets_one_of_ours()
    {
        using var certificates = new ClusterCertificates();
        using var stranger = new TestAuthority("stranger");
        certificates.Files.Write("third", stranger.Sign("third"));
        await using var cluster = LoopbackCluster.Create(Product.Store, 3, certificates);
        var third = cluster[2];
        cluster[0].Start();
        cluster[1].Start();
        third.Start([.. certificates.Files.Flags("third", "peer-")]);
        await cluster[0].WaitUntilReadyAsync(Cancellation);
        await cluster[1].WaitUntilReadyAsync(Cancellation);

        // Both sides say it: who refuses, and who is refused.
        await SaysAsync(cluster[0], "rejected connection", "certificate of \\\"CN=third\\\"");
        await SaysAsync(third, "peer refused the connection", "does not accept this member's certificate");

        certificates.IssuePeer("third");
        await third.WaitUntilReadyAsync(Cancellation);
        Assert.Equal((await cluster[0].StatusAsync(Cancellation)).Leader, (await third.StatusAsync(Cancellation)).Leader);
    }

    [Fact]
    public async Task Members_that_make_their_own_certificates_find_together()
    {
        await using var cluster = LoopbackCluster.Create(Product.Store, 3, flags: "--peer-auto-tls");
        static string Secured(string urls) => urls.Replace("http://", "https://", StringComparison.Ordinal);
        foreach (var member in cluster.Members)
        {
            var url = Secured(member.PeerUrl);
            member.Start($"--listen-peer-urls={url}", $"--initial-advertise-peer-urls={url}", $"--initial-cluster={Secured(cluster.InitialCluster)}");
        }

        await cluster.WaitUntilReadyAsync(Cancellation);
        Assert.All(cluster.Members, member => Assert.True(File.Exists(Path.Combine(member.DataDirectory, "fixtures", "peer", "cert.pem"))));
        using var plain = new HttpClient();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => plain.GetStringAsync(cluster[0].PeerUrl + "/version", Cancellation));
    }

    static async Task SaysAsync(MemberProcess member, params string[] words)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!member.Log().Split('\n').Any(line => words.All(word => line.Contains(word, StringComparison.Ordinal))))
        {
            Assert.True(DateTime.UtcNow < deadline, $"{member.Name} never said: {string.Join(" … ", words)}\n{member.LogTail()}");
            await Task.Delay(50, Cancellation);
        }
    }
}
