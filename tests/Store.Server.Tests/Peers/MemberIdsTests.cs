using Xunit;

namespace Store.Server.Tests;

public sealed class MemberIdsTests
{
    /// <summary>What etcd 3.5 prints for its default flags.</summary>
    [Fact]
    public void Ids_are_those_of_etcd()
    {
        var id = MemberIds.Member(["http://localhost:2380"], "etcd-cluster");
        Assert.Equal("8e9e05c52164694d", id.ToString());
        Assert.Equal(0xcdf818194e3a8c32, MemberIds.Cluster([id]));
    }
}
