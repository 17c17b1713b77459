using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;

namespace Store.State;

/// <summary>From our results to etcd's messages.</summary>
static class Responses
{
    public static ResponseHeader Header(long revision) => new() { Revision = revision };

    public static KeyValue KeyValueOf(ReadOnlyMemory<byte> row) => KeyValue(Row.KeyValue(row));

    public static KeyValue KeyValue(ReadOnlyMemory<byte> encoded) => Protocol.Mvccpb.KeyValue.Parser.ParseFrom(encoded.Span);

    public static RangeResponse Range(RangeResult result)
    {
        var response = new RangeResponse { Header = Header(result.Revision.Value), More = result.More, Count = result.Count };
        response.Kvs.Capacity = result.KeyValues.Count;
        foreach (var encoded in result.KeyValues) response.Kvs.Add(KeyValue(encoded));
        return response;
    }
}
