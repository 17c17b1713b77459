using System.Text;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>etcdctl, unchanged, gets the same answers from the store as from etcd.</summary>
public sealed class EtcdctlTests
{
    static readonly string SessionFile = Path.Combine(Binaries.RepositoryRoot, "tests/EndToEnd.Tests/Etcdctl/session.txt");
    static readonly string AuthSessionFile = Path.Combine(Binaries.RepositoryRoot, "tests/EndToEnd.Tests/Etcdctl/auth-session.txt");

    [Theory]
    [InlineData("3.4", 1)]
    [InlineData("3.5", 1)]
    [InlineData("3.4", 3)]
    [InlineData("3.5", 3)]
    public Task Etcdctl_hears_from_the_store_what_it_hears_from_etcd(string etcdctl, int members) => CompareAsync(Product.Store, etcdctl, members, SessionFile);

    [Theory]
    [InlineData("3.4", 1)]
    [InlineData("3.5", 3)]
    public Task Users_roles_and_permissions_are_those_of_etcd(string etcdctl, int members) => CompareAsync(Product.Store, etcdctl, members, AuthSessionFile);

    /// <summary>With --cacert, --cert and --key; the members speak TLS to one another, too.</summary>
    [Theory]
    [InlineData("3.4", 3)]
    [InlineData("3.5", 3)]
    public async Task Etcdctl_hears_the_same_over_TLS(string etcdctl, int members)
    {
        using var certificates = new ClusterCertificates();
        await CompareAsync(Product.Store, etcdctl, members, SessionFile, certificates);
    }

    /// <summary>If etcd differed from itself, the comparison would be asking for chance.</summary>
    [Fact]
    public Task Etcdctl_hears_the_same_from_two_etcds() => CompareAsync(Product.Etcd, "3.5", members: 1, SessionFile);

    static async Task CompareAsync(Product product, string etcdctl, int members, string sessionFile, ClusterCertificates? certificates = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var etcd = await LoopbackCluster.StartAsync(Product.Etcd, members, certificates, cancellationToken);
        await using var other = await LoopbackCluster.StartAsync(product, members, certificates, cancellationToken);
        // The leaders are asked: some answers are theirs alone.
        var expecting = new Conversation(etcdctl, etcd, await etcd.LeaderAsync(cancellationToken));
        var finding = new Conversation(etcdctl, other, await other.LeaderAsync(cancellationToken));
        var differences = new StringBuilder();
        foreach (var command in Conversation.Read(sessionFile))
        {
            var answers = await Task.WhenAll(expecting.SayAsync(command), finding.SayAsync(command));
            if (answers[0] != answers[1])
                differences.AppendLine($"--- etcdctl {etcdctl} {command}\nexpected:\n{answers[0]}\nfound:\n{answers[1]}");
        }
        Assert.True(differences.Length == 0, differences.ToString());
    }
}
