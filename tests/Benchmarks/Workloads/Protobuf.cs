namespace Benchmarks;

/// <summary>Writes protobuf fields into a span: just the shapes that the workloads send.</summary>
ref struct ProtobufWriter(Span<byte> to)
{
    readonly Span<byte> to = to;

    public int Length { get; private set; }

    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        Raw(((ulong)field << 3) | 2);
        Raw((ulong)value.Length);
        value.CopyTo(to[Length..]);
        Length += value.Length;
    }

    public void Number(int field, long value)
    {
        Raw((ulong)field << 3);
        Raw((ulong)value);
    }

    void Raw(ulong value)
    {
        while (value >= 0x80)
        {
            to[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        to[Length++] = (byte)value;
    }
}

/// <summary>Walks a message's top-level fields; stops where the bytes end, also in the middle of a field whose head alone was kept.</summary>
ref struct ProtobufReader(ReadOnlySpan<byte> from)
{
    ReadOnlySpan<byte> rest = from;

    public int Field { get; private set; }
    /// <summary>A varint field's value; for a length-delimited field its length.</summary>
    public ulong Number { get; private set; }
    /// <summary>A length-delimited field's content, possibly cut.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    public bool Next()
    {
        if (rest.IsEmpty)
            return false;
        var key = Raw();
        Field = (int)(key >> 3);
        Number = Raw();
        if ((key & 7) == 2)
        {
            var length = (int)Math.Min(Number, (ulong)rest.Length);
            Content = rest[..length];
            rest = rest[length..];
        }
        return true;
    }

    ulong Raw()
    {
        ulong value = 0;
        for (var shift = 0; !rest.IsEmpty; shift += 7)
        {
            var next = rest[0];
            rest = rest[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                break;
        }
        return value;
    }
}
