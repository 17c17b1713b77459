using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>RangeStream and large unary ranges over the wire (contract 1.2).</summary>
public class RangeStreamTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chunks_merge_to_the_unary_answer_and_only_the_last_one_has_a_header()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = Open(store);
        var kv = new KV.KVClient(channel);
        await FillAsync(kv, keys: 500, valueBytes: 20_000);
        foreach (var limit in new[] { 0, 37, 500 })
        {
            var request = new RangeRequest { Key = Text("k"), RangeEnd = Text("l"), Limit = limit };
            var unary = await kv.RangeAsync(request, cancellationToken: Token);
            var chunks = await ReadAsync(kv, request);
            var merged = new RangeResponse();
            foreach (var chunk in chunks) merged.MergeFrom(chunk);
            Assert.Equal(unary, merged);
            Assert.All(chunks.SkipLast(1), chunk => Assert.Equal((null, false, 0L), (chunk.Header, chunk.More, chunk.Count)));
            Assert.Equal(10, chunks[0].Kvs.Count);
        }
    }

    [Fact]
    public async Task What_a_stream_cannot_do_is_told_in_etcds_words()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = Open(store);
        var kv = new KV.KVClient(channel);
        async Task<Status> FailAsync(RangeRequest request) => (await Assert.ThrowsAsync<RpcException>(() => ReadAsync(kv, request))).Status;
        Assert.Equal(new Status(StatusCode.InvalidArgument, "etcdserver: key is not provided"), await FailAsync(new()));
        Assert.Equal(
            new Status(StatusCode.Unimplemented, "RangeStream does not support custom sort orders"),
            await FailAsync(new() { Key = Text("k"), SortOrder = RangeRequest.Types.SortOrder.Descend }));
        Assert.Equal(
            new Status(StatusCode.Unimplemented, "RangeStream does not support revision filters"), await FailAsync(new() { Key = Text("k"), MinModRevision = 1 }));
        Assert.Equal(
            new Status(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision"), await FailAsync(new() { Key = Text("k"), Revision = 99 }));
    }

    static async Task<List<RangeResponse>> ReadAsync(KV.KVClient kv, RangeRequest request)
    {
        using var call = kv.RangeStream(request, cancellationToken: Token);
        var chunks = new List<RangeResponse>();
        await foreach (var message in call.ResponseStream.ReadAllAsync(Token)) chunks.Add(message.RangeResponse);
        return chunks;
    }

    static async Task FillAsync(KV.KVClient kv, int keys, int valueBytes)
    {
        var value = ByteString.CopyFrom(new byte[valueBytes]);
        for (var i = 0; i < keys; i += 50)
        {
            var txn = new TxnRequest();
            for (var j = i; j < i + 50; j++) txn.Success.Add(new RequestOp { RequestPut = new() { Key = Text($"k{j:d5}"), Value = value } });
            await kv.TxnAsync(txn, cancellationToken: Token);
        }
    }

    static GrpcChannel Open(StoreUnderTest store) => GrpcChannel.ForAddress(store.Url, new() { MaxReceiveMessageSize = null });

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
