using Store.Raft;

namespace Store.State;

/// <summary>mvccpb.KeyValue by hand, byte for byte what protobuf writes: fields in order of their numbers, zeros left out.</summary>
static class KeyValueCodec
{
    const byte KeyTag = 0x0a, CreateTag = 0x10, ModTag = 0x18, VersionTag = 0x20, ValueTag = 0x2a, LeaseTag = 0x30;

    public static int Size(in KeyValueFields fields) =>
        SizeOf(fields.Key.Length, fields.Create, fields.Mod, fields.Version, fields.Value.Length, fields.Lease);

    public static int SizeOf(int keyBytes, long create, long mod, long version, int valueBytes, long lease) =>
        BytesSize(keyBytes) + NumberSize(create) + NumberSize(mod) + NumberSize(version) + BytesSize(valueBytes) + NumberSize(lease);

    /// <summary>Writes into a buffer of at least <see cref="Size"/> bytes.</summary>
    public static void Write(Span<byte> buffer, in KeyValueFields fields)
    {
        WriteBytes(ref buffer, KeyTag, fields.Key);
        WriteNumber(ref buffer, CreateTag, fields.Create);
        WriteNumber(ref buffer, ModTag, fields.Mod);
        WriteNumber(ref buffer, VersionTag, fields.Version);
        WriteBytes(ref buffer, ValueTag, fields.Value);
        WriteNumber(ref buffer, LeaseTag, fields.Lease);
    }

    public static byte[] Encode(in KeyValueFields fields)
    {
        var bytes = new byte[Size(fields)];
        Write(bytes, fields);
        return bytes;
    }

    /// <summary>Reads what <see cref="Write"/> wrote. Rows come from the engine, whose blocks carry checksums: anything else is a broken invariant.</summary>
    public static KeyValueFields Read(ReadOnlySpan<byte> encoded)
    {
        var fields = new KeyValueFields();
        while (!encoded.IsEmpty)
        {
            var tag = encoded[0];
            encoded = encoded[1..];
            var number = ReadVarint(ref encoded);
            switch (tag)
            {
                case KeyTag: fields.Key = Take(ref encoded, number); break;
                case CreateTag: fields.Create = (long)number; break;
                case ModTag: fields.Mod = (long)number; break;
                case VersionTag: fields.Version = (long)number; break;
                case ValueTag: fields.Value = Take(ref encoded, number); break;
                case LeaseTag: fields.Lease = (long)number; break;
                default: Invariant.Require(tag is KeyTag); break;
            }
        }
        return fields;
    }

    /// <summary>The length of the key's field: all that etcd keeps of a deletion.</summary>
    public static int KeyFieldSize(ReadOnlySpan<byte> key) => BytesSize(key.Length);

    /// <summary>What a message of this length takes as a repeated field of another one, field number under 16.</summary>
    public static int FieldSize(int messageBytes) => 1 + Varint.Size((ulong)messageBytes) + messageBytes;

    static int BytesSize(int bytes) => bytes == 0 ? 0 : FieldSize(bytes);

    static int NumberSize(long number) => number == 0 ? 0 : 1 + Varint.Size((ulong)number);

    static void WriteBytes(ref Span<byte> buffer, byte tag, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        buffer[0] = tag;
        buffer = buffer[1..];
        Varint.Write(ref buffer, (ulong)bytes.Length);
        bytes.CopyTo(buffer);
        buffer = buffer[bytes.Length..];
    }

    static void WriteNumber(ref Span<byte> buffer, byte tag, long number)
    {
        if (number == 0) return;
        buffer[0] = tag;
        buffer = buffer[1..];
        Varint.Write(ref buffer, (ulong)number);
    }

    static ulong ReadVarint(scoped ref ReadOnlySpan<byte> encoded)
    {
        Invariant.Require(Varint.TryRead(ref encoded, out var number));
        return number;
    }

    static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> encoded, ulong length)
    {
        Invariant.Require(Varint.TryTake(ref encoded, length, out var bytes));
        return bytes;
    }
}

/// <summary>The fields of one mvccpb.KeyValue, its bytes where they stand.</summary>
ref struct KeyValueFields
{
    public ReadOnlySpan<byte> Key;
    public long Create;
    public long Mod;
    public long Version;
    public ReadOnlySpan<byte> Value;
    public long Lease;
}
