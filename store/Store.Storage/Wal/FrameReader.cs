using System.Buffers.Binary;
using System.Collections.Immutable;
using Store.Raft;

namespace Store.Storage;

/// <summary>Reads the items of one payload. The bytes are owned by the reader: entries are handed out as slices of them.</summary>
ref struct FrameReader(ReadOnlyMemory<byte> payload)
{
    ReadOnlySpan<byte> rest = payload.Span;

    internal readonly bool AtEnd => rest.IsEmpty;

    internal FrameItem Kind() => (FrameItem)Byte();

    internal HardState HardState() => new(new(UInt64()), new(UInt64()), new(UInt64()));

    internal SnapshotMetadata Point() => new(new(UInt64()), new(UInt64()), new([.. Nodes()], [.. Nodes()]));

    internal (LogIndex First, int Count) EntriesHeader() => (new(UInt64()), Int32());

    internal Entry Entry(LogIndex index)
    {
        var term = new Term(UInt64());
        var kind = (EntryKind)Byte();
        var length = Int32();
        var data = payload.Slice(payload.Length - rest.Length, length);
        rest = rest[length..];
        return new(term, index, kind, data);
    }

    ImmutableArray<NodeId> Nodes()
    {
        var nodes = ImmutableArray.CreateBuilder<NodeId>();
        for (var left = Int32(); left > 0; left--) nodes.Add(new(UInt64()));
        return nodes.ToImmutable();
    }

    byte Byte()
    {
        var value = rest[0];
        rest = rest[1..];
        return value;
    }

    int Int32()
    {
        var value = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        return value;
    }

    ulong UInt64()
    {
        var value = BinaryPrimitives.ReadUInt64LittleEndian(rest);
        rest = rest[8..];
        return value;
    }
}
