using k8s.Models;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

public sealed class ObjectStoreTests
{
    readonly ObjectStore<V1Pod> store = new(pod => pod.Metadata.Labels is { } labels ? new ObjectKey("shop", labels["of"]) : null);

    [Fact]
    public void An_object_never_goes_back()
    {
        Assert.True(store.Upsert(Pod("a", 12)));
        Assert.False(store.Upsert(Pod("a", 11)));
        Assert.Equal("12", Get("a")!.Metadata.ResourceVersion);
    }

    [Fact]
    public void A_late_deletion_of_an_earlier_object_of_the_name_is_no_deletion()
    {
        store.Upsert(Pod("a", 20));
        store.Remove(Pod("a", 15));
        Assert.NotNull(Get("a"));
        store.Remove(Pod("a", 21));
        Assert.Null(Get("a"));
    }

    [Fact]
    public void A_list_takes_away_what_it_does_not_hold_unless_that_is_newer()
    {
        store.Upsert(Pod("old", 5));
        store.Upsert(Pod("own-write", 30));
        var gone = store.Replace([Pod("listed", 7)], "20", _ => true);
        Assert.Equal(["old"], gone.Select(pod => pod.Metadata.Name));
        Assert.NotNull(Get("own-write"));
        Assert.NotNull(Get("listed"));
    }

    [Fact]
    public void Owners_see_theirs_in_order_of_name()
    {
        store.Upsert(Pod("b", 1, "orders"));
        store.Upsert(Pod("a", 2, "orders"));
        store.Upsert(Pod("c", 3, "other"));
        Assert.Equal(["a", "b"], store.OwnedBy(new ObjectKey("shop", "orders")).Select(pod => pod.Metadata.Name));
        store.Upsert(Pod("a", 4, "other"));
        Assert.Equal(["b"], store.OwnedBy(new ObjectKey("shop", "orders")).Select(pod => pod.Metadata.Name));
    }

    V1Pod? Get(string name) => store.Get(new ObjectKey("shop", name));

    static V1Pod Pod(string name, int version, string? owner = null) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = "shop",
            ResourceVersion = $"{version}",
            Labels = owner is null ? null : new Dictionary<string, string> { ["of"] = owner },
        },
    };
}
