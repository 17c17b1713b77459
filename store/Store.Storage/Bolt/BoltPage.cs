using System.Buffers.Binary;

namespace Store.Storage;

/// <summary>A leaf or branch page that is being filled. An element that is larger than a page gets one of its own, with overflow.</summary>
sealed class BoltPage(ushort flags)
{
    internal const int Bytes = 4096;

    readonly List<BoltElement> elements = [];
    int used = BoltFormat.PageHeaderBytes;

    internal int Count => elements.Count;

    internal ReadOnlyMemory<byte> FirstKey => elements[0].Key;

    /// <summary>The page that the first element leads to.</summary>
    internal ulong FirstChild => elements[0].Child;

    internal bool Fits(in BoltElement element) => elements.Count == 0 || used + element.SizeBytes <= Bytes;

    internal void Add(in BoltElement element)
    {
        elements.Add(element);
        used += element.SizeBytes;
    }

    /// <summary>How many it takes: with overflow more than one.</summary>
    internal int Pages => Math.Max(1, (used + Bytes - 1) / Bytes);

    internal void Clear()
    {
        elements.Clear();
        used = BoltFormat.PageHeaderBytes;
    }

    /// <param name="image">Takes the page, or with overflow the pages, as they stand in the file.</param>
    internal void Draw(Span<byte> image, ulong id)
    {
        image.Clear();
        BoltFormat.WritePageHeader(image, id, flags, elements.Count, Pages - 1);
        var position = BoltFormat.PageHeaderBytes + elements.Count * BoltFormat.ElementBytes;
        for (var i = 0; i < elements.Count; i++)
        {
            var (start, element) = (BoltFormat.PageHeaderBytes + i * BoltFormat.ElementBytes, elements[i]);
            if (flags == BoltFormat.LeafPage) WriteLeaf(image[start..], element, position - start);
            else WriteBranch(image[start..], element, position - start);
            element.Key.Span.CopyTo(image[position..]);
            element.Value.Span.CopyTo(image[(position + element.Key.Length)..]);
            position += element.Key.Length + element.Value.Length;
        }
    }

    static void WriteLeaf(Span<byte> at, in BoltElement element, int position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, element.Flags);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], position);
        BinaryPrimitives.WriteInt32LittleEndian(at[8..], element.Key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(at[12..], element.Value.Length);
    }

    static void WriteBranch(Span<byte> at, in BoltElement element, int position)
    {
        BinaryPrimitives.WriteInt32LittleEndian(at, position);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], element.Key.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], element.Child);
    }
}

/// <param name="Flags">Of a leaf's element.</param>
/// <param name="Child">Of a branch's element.</param>
readonly record struct BoltElement(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, uint Flags, ulong Child)
{
    internal int SizeBytes => BoltFormat.ElementBytes + Key.Length + Value.Length;
}
