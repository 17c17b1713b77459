using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class NameTests
{
    [Theory]
    [InlineData("orders-3", 3)]
    [InlineData("orders-12", 12)]
    [InlineData("orders-0", null)]
    [InlineData("orders-03", null)]
    [InlineData("orders-", null)]
    [InlineData("orders-peers", null)]
    [InlineData("orders-eu-3", null)]
    [InlineData("other-3", null)]
    public void Only_this_clusters_members_are_read(string name, int? number) => Assert.Equal(number, MemberName.Parse("orders", name)?.Number);

    [Theory]
    [InlineData("http://orders-3-0.orders-peers.shop.svc:2380", 3)]
    [InlineData("http://10.0.0.1:2380", null)]
    [InlineData("nonsense", null)]
    public void A_member_without_a_name_is_known_by_its_peer_url(string url, int? number) => Assert.Equal(number, MemberName.FromPeerUrl("orders", url)?.Number);

    [Theory]
    [InlineData(null, null, null, null, "registry.example:5000/store:1.0")]
    [InlineData("1.4.2", null, null, null, "registry.example:5000/store:1.4.2")]
    [InlineData("1.4.2", "other/store", null, null, "other/store:1.4.2")]
    [InlineData("1.4.2", "other/store", "edge", null, "other/store:edge")]
    [InlineData("1.4.2", "other/store", "edge", "sha256:ab", "other/store@sha256:ab")]
    public void The_image_is_put_together(string? version, string? repository, string? tag, string? digest, string image)
    {
        var spec = new StoreClusterSpec { Version = version, Image = new ImageSpec { Repository = repository, Tag = tag, Digest = digest } };
        Assert.Equal(image, StoreImage.Of(spec, "registry.example:5000/store:1.0"));
    }
}
