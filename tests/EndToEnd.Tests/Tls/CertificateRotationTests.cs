using System.Globalization;
using System.Net;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Three real members; every certificate and every authority, of clients and of peers, is replaced again and again while clients write, read and watch.
/// TLS_ROTATIONS sets how often (30).
/// </summary>
public sealed class CertificateRotationTests(ITestOutputHelper output)
{
    /// <summary>A member starts anew after each so many: then it, and whoever dials it, shakes hands with the newest files.</summary>
    const int RestartEvery = 6;

    static readonly int Rotations = int.TryParse(Environment.GetEnvironmentVariable("TLS_ROTATIONS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 30;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leaves_and_authorities_are_replaced_under_load_and_no_request_fails()
    {
        using var certificates = new ClusterCertificates();
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, certificates, Cancellation);
        var leader = await cluster.LeaderAsync(Cancellation);
        // Killed from time to time, so nobody asks it; the others are a quorum.
        var resting = cluster.Members.First(member => member != leader);
        try
        {
            await using var load = await SteadyLoad.StartAsync(cluster.Members.Where(member => member != resting), Cancellation);
            for (var n = 1; n <= Rotations; n++)
            {
                foreach (var step in new[] { certificates.Announce, certificates.Reissue, certificates.Retire })
                {
                    step();
                    await load.EverybodyAsync();
                }

                foreach (var member in cluster.Members) await AnswersPeersAsync(certificates, member);
                if (n % RestartEvery != 0) continue;
                resting.Kill();
                resting.Start();
                await resting.WaitUntilReadyAsync(Cancellation);
            }

            var (writes, reads, seen) = await load.StopAsync();
            output.WriteLine($"{Rotations} rotations, {writes} writes and {reads} reads without a failure, {seen} events on each watch that was open all the while");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            Assert.Fail($"{exception.Message}\n{cluster.Logs()}");
        }

        Assert.All(cluster.Members, member => Assert.DoesNotContain("rejected connection", member.Log(), StringComparison.Ordinal));
        Assert.All(cluster.Members, member => Assert.Contains($"CN=peer {certificates.Generation}\"", member.Log().Replace("\\\"", "\"", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    /// <summary>A handshake on the peer port, with what peers show and trust now.</summary>
    static async Task AnswersPeersAsync(ClusterCertificates certificates, MemberProcess member)
    {
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = certificates.ForPeers() }) { DefaultRequestVersion = HttpVersion.Version11 };
        Assert.Contains("etcdserver", await http.GetStringAsync(member.PeerUrl + "/version", Cancellation), StringComparison.Ordinal);
    }
}
