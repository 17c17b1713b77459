using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Big requests are taken or refused in etcd's own words.</summary>
public sealed class RequestSizeTests
{
    [Theory]
    [InlineData(1_500_000)]
    [InlineData(1_600_000)]
    [InlineData(2_000_000)]
    [InlineData(2_500_000)]
    public async Task A_put_of_any_size_is_answered_as_etcd_answers_it(int valueBytes)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 1, cancellationToken);
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, cancellationToken);
        Assert.Equal(await PutAsync(etcd[0], valueBytes), await PutAsync(store[0], valueBytes));
    }

    [Fact]
    public async Task An_unknown_sort_option_is_refused()
    {
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 1, TestContext.Current.CancellationToken);
        var request = new RangeRequest { Key = ByteString.CopyFromUtf8("a"), SortTarget = (RangeRequest.Types.SortTarget)9 };
        var e = await Assert.ThrowsAsync<RpcException>(() =>
            new KV.KVClient(store[0].Channel).RangeAsync(request, cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);
        Assert.Equal((StatusCode.InvalidArgument, "etcdserver: invalid sort option"), (e.StatusCode, e.Status.Detail));
    }

    static async Task<string> PutAsync(MemberProcess member, int valueBytes)
    {
        try
        {
            var request = new PutRequest { Key = ByteString.CopyFromUtf8("big"), Value = ByteString.CopyFrom(new byte[valueBytes]) };
            var response = await new KV.KVClient(member.Channel).PutAsync(request, deadline: DateTime.UtcNow.AddSeconds(20));
            return $"revision {response.Header.Revision}";
        }
        catch (RpcException e)
        {
            return $"{e.StatusCode}: {e.Status.Detail}";
        }
    }
}
