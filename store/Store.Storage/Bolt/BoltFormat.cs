using System.Buffers.Binary;

namespace Store.Storage;

/// <summary>
/// The file format of bbolt, version 2, in which etcd keeps its backend and hands out snapshots. All numbers are little-endian.
/// <code>
/// page      0 id u64   8 flags u16   10 count u16   12 overflow u32 (further pages that belong to this one)   16 content
/// meta      pages 0 and 1, written in turn: magic, version, page size, flags u32; root page, sequence, free list page, page count, transaction u64; FNV-1a of all that
/// leaf      count elements of flags (1: bucket), position, key size, value size u32; positions count from their element; then keys and values
/// branch    count elements of position, key size u32, page u64; then the first key below each of the pages
/// bucket    the value of a bucket's element: root page u64 (0: the page follows right here), sequence u64
/// </code>
/// The root is a page of buckets, sorted by name; buckets of etcd hold no further buckets.
/// </summary>
static class BoltFormat
{
    internal const uint Magic = 0xED0C_DAED;
    internal const uint Version = 2;
    internal const int PageHeaderBytes = 16;
    internal const int ElementBytes = 16;
    internal const int BucketHeaderBytes = 16;
    internal const int MetaBytes = 64;
    internal const ushort BranchPage = 1, LeafPage = 2, MetaPage = 4;
    internal const uint BucketElement = 1;

    /// <summary>Page 0 and 1 are the metas.</summary>
    internal const ulong FirstPage = 2;

    /// <summary>In the place of a free list's page: whoever writes finds the free pages by walking the tree. As etcd has it.</summary>
    internal const ulong NoFreeList = ulong.MaxValue;

    internal static void WritePageHeader(Span<byte> page, ulong id, ushort flags, int count, int overflow)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(page, id);
        BinaryPrimitives.WriteUInt16LittleEndian(page[8..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(page[10..], checked((ushort)count));
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], (uint)overflow);
    }

    /// <summary>FNV-1a with 64 bits.</summary>
    internal static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        var hash = 0xcbf2_9ce4_8422_2325;
        foreach (var b in bytes) hash = (hash ^ b) * 0x100_0000_01b3;
        return hash;
    }
}

/// <param name="Root">The page of buckets.</param>
/// <param name="Pages">All pages of the file, with the metas.</param>
readonly record struct BoltMeta(int PageBytes, ulong Root, ulong Pages, ulong Transaction)
{
    internal void Write(Span<byte> page)
    {
        BoltFormat.WritePageHeader(page, Transaction % 2, BoltFormat.MetaPage, 0, 0);
        var meta = page[BoltFormat.PageHeaderBytes..];
        BinaryPrimitives.WriteUInt32LittleEndian(meta, BoltFormat.Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(meta[4..], BoltFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(meta[8..], (uint)PageBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(meta[16..], Root);
        BinaryPrimitives.WriteUInt64LittleEndian(meta[32..], BoltFormat.NoFreeList);
        BinaryPrimitives.WriteUInt64LittleEndian(meta[40..], Pages);
        BinaryPrimitives.WriteUInt64LittleEndian(meta[48..], Transaction);
        BinaryPrimitives.WriteUInt64LittleEndian(meta[56..], BoltFormat.Checksum(meta[..56]));
    }

    /// <summary>Null when this is no intact meta page.</summary>
    internal static BoltMeta? Read(ReadOnlySpan<byte> page)
    {
        var meta = page[BoltFormat.PageHeaderBytes..];
        if (meta.Length < BoltFormat.MetaBytes || BinaryPrimitives.ReadUInt32LittleEndian(meta) != BoltFormat.Magic) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(meta[4..]) != BoltFormat.Version) return null;
        if (BinaryPrimitives.ReadUInt64LittleEndian(meta[56..]) != BoltFormat.Checksum(meta[..56])) return null;
        var pageBytes = BinaryPrimitives.ReadUInt32LittleEndian(meta[8..]);
        if (pageBytes is < 1024 or > 1 << 20 || !System.Numerics.BitOperations.IsPow2(pageBytes)) return null;
        return new(
            (int)pageBytes, BinaryPrimitives.ReadUInt64LittleEndian(meta[16..]), BinaryPrimitives.ReadUInt64LittleEndian(meta[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(meta[48..]));
    }
}
