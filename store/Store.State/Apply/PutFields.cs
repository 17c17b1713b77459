using Store.Protocol.Etcdserverpb;

namespace Store.State;

/// <summary>
/// A PutRequest with its bytes where they stand. Most of what a store is asked to write is puts: to read one from the wire and from the log without
/// building protobuf's objects halves what it allocates.
/// </summary>
public ref struct PutFields
{
    // Field number and wire type of etcdserverpb.PutRequest.
    const byte KeyTag = 1 << 3 | 2, ValueTag = 2 << 3 | 2, LeaseTag = 3 << 3, PrevKvTag = 4 << 3, IgnoreValueTag = 5 << 3, IgnoreLeaseTag = 6 << 3;

    public ReadOnlySpan<byte> Key { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public long Lease { get; private set; }

    public bool PrevKv { get; private set; }

    public bool IgnoreValue { get; private set; }

    public bool IgnoreLease { get; private set; }


    public static PutFields Of(PutRequest request) => new()
    {
        Key = request.Key.Span,
        Value = request.Value.Span,
        Lease = request.Lease,
        PrevKv = request.PrevKv,
        IgnoreValue = request.IgnoreValue,
        IgnoreLease = request.IgnoreLease,
    };

    /// <summary>False for everything that is not plainly a PutRequest of known fields: protobuf's own parser has the word then.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out PutFields fields)
    {
        fields = default;
        while (!message.IsEmpty)
        {
            var tag = message[0];
            message = message[1..];
            if (!Varint.TryRead(ref message, out var number)) return false;
            switch (tag)
            {
                case KeyTag when Varint.TryTake(ref message, number, out var key): fields.Key = key; break;
                case ValueTag when Varint.TryTake(ref message, number, out var value): fields.Value = value; break;
                case LeaseTag: fields.Lease = (long)number; break;
                case PrevKvTag: fields.PrevKv = number != 0; break;
                case IgnoreValueTag: fields.IgnoreValue = number != 0; break;
                case IgnoreLeaseTag: fields.IgnoreLease = number != 0; break;
                default: return false;
            }
        }
        return true;
    }
}
