using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Store.State;

namespace Store.Storage;

/// <summary>
/// Reads a bbolt file, a page at a time. Nothing is believed: what lies outside of the file or of its page, or out of order, is an error that names the page.
/// Throws <see cref="StorageException"/> with one clear line.
/// </summary>
public sealed class BoltFile : IDisposable
{
    /// <summary>A tree of more levels than this does not fit on any disk: it is a circle.</summary>
    const int LevelsMax = 32;

    readonly string path;
    readonly SafeFileHandle file;
    readonly BoltMeta meta;
    readonly SortedDictionary<string, BoltElement> buckets = new(StringComparer.Ordinal);

    BoltFile(string path, SafeFileHandle file, BoltMeta meta)
    {
        this.path = path;
        this.file = file;
        this.meta = meta;
    }

    /// <summary>Of the database, without what may follow it in the file.</summary>
    public long SizeBytes => (long)meta.Pages * meta.PageBytes;

    /// <summary>In order.</summary>
    public IEnumerable<string> Buckets => buckets.Keys;

    public static BoltFile Open(string path)
    {
        var file = Disk.Try(path, "cannot be opened", () => File.OpenHandle(path, options: FileOptions.SequentialScan));
        try
        {
            var bolt = new BoltFile(path, file, FindMeta(path, file));
            bolt.ReadBuckets();
            return bolt;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The pairs of a bucket in order; none when there is no such bucket.</summary>
    public IEnumerable<BackendPair> Read(string bucket)
    {
        if (!buckets.TryGetValue(bucket, out var element)) yield break;
        var root = BinaryPrimitives.ReadUInt64LittleEndian(element.Value.Span);
        var elements = root == 0 ? Inline(element.Value[BoltFormat.BucketHeaderBytes..]) : Walk(root);
        foreach (var (key, value, flags, _) in elements)
        {
            if (flags != 0) throw Damaged(root, $"bucket '{bucket}' holds something that is no pair");
            yield return new(key, value);
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>The newer of the two metas: a writer that was interrupted has damaged one at most. Where the second one is depends on the size of a page.</summary>
    static BoltMeta FindMeta(string path, SafeFileHandle file)
    {
        BoltMeta? newest = null;
        var page = new byte[BoltFormat.PageHeaderBytes + BoltFormat.MetaBytes];
        foreach (var at in (ReadOnlySpan<int>)[0, 4096, 8192, 16384, 32768, 65536])
        {
            if (Disk.Try(path, "cannot be read", () => RandomAccess.Read(file, page, at)) < page.Length || BoltMeta.Read(page) is not { } found) continue;
            if (newest is null || found.Transaction > newest.Value.Transaction) newest = found;
        }
        if (newest is not { } meta) throw new StorageException($"{path}: this is no snapshot of etcd (no bbolt meta page is intact); give a file that `etcdctl snapshot save` wrote");
        var (length, whole) = (RandomAccess.GetLength(file), (Int128)meta.Pages * meta.PageBytes);
        if (whole > length) throw new StorageException($"{path}: the file ends after {length} of {whole} bytes: it was cut off; copy it again, or take another snapshot");
        return meta;
    }

    void ReadBuckets()
    {
        foreach (var element in Walk(meta.Root))
        {
            if (element.Flags != BoltFormat.BucketElement || element.Value.Length < BoltFormat.BucketHeaderBytes)
                throw Damaged(meta.Root, "the root holds something that is no bucket");
            buckets.Add(Encoding.UTF8.GetString(element.Key.Span), element);
        }
    }

    /// <summary>All elements below a page, in order of their keys, which must rise: so a page is not met twice.</summary>
    IEnumerable<BoltElement> Walk(ulong root)
    {
        var path = new Stack<IEnumerator<BoltElement>>();
        ReadOnlyMemory<byte>? last = null;
        path.Push(ReadPage(root).GetEnumerator());
        while (path.TryPeek(out var page))
        {
            if (!page.MoveNext())
            {
                path.Pop();
                continue;
            }
            var element = page.Current;
            if (element.Child != 0)
            {
                if (path.Count == LevelsMax) throw Damaged(element.Child, "the tree of pages goes in circles");
                path.Push(ReadPage(element.Child).GetEnumerator());
                continue;
            }
            if (last is { } before && before.Span.SequenceCompareTo(element.Key.Span) >= 0) throw Damaged(root, "its keys are not in order");
            last = element.Key;
            yield return element;
        }
    }

    List<BoltElement> ReadPage(ulong id)
    {
        var header = ReadBytes(id, BoltFormat.PageHeaderBytes);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header) != id) throw Damaged(id, "it says that it is another one");
        var pages = 1L + BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12));
        if (pages * meta.PageBytes > Array.MaxLength) throw Damaged(id, $"it claims {pages} pages");
        return Parse(id, ReadBytes(id, (int)(pages * meta.PageBytes)));
    }

    List<BoltElement> Inline(ReadOnlyMemory<byte> page) => Parse(meta.Root, page);

    List<BoltElement> Parse(ulong id, ReadOnlyMemory<byte> page)
    {
        if (page.Length < BoltFormat.PageHeaderBytes) throw Damaged(id, "it is shorter than its header");
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(page.Span[8..]);
        if (flags is not (BoltFormat.LeafPage or BoltFormat.BranchPage)) throw Damaged(id, $"it is of the unknown kind {flags}");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(page.Span[10..]);
        if (BoltFormat.PageHeaderBytes + count * BoltFormat.ElementBytes > page.Length) throw Damaged(id, $"it claims {count} elements");
        var elements = new List<BoltElement>(count);
        for (var i = 0; i < count; i++)
        {
            var element = page[(BoltFormat.PageHeaderBytes + i * BoltFormat.ElementBytes)..];
            elements.Add(flags == BoltFormat.LeafPage ? Leaf(id, element) : Branch(id, element));
        }
        return elements;
    }

    BoltElement Leaf(ulong id, ReadOnlyMemory<byte> at)
    {
        var (flags, position, keyBytes, valueBytes) = (Number(at, 0), Number(at, 4), Number(at, 8), Number(at, 12));
        return new(Slice(id, at, position, keyBytes), Slice(id, at, (long)position + keyBytes, valueBytes), flags, 0);
    }

    BoltElement Branch(ulong id, ReadOnlyMemory<byte> at)
    {
        var child = BinaryPrimitives.ReadUInt64LittleEndian(at.Span[8..]);
        if (child < BoltFormat.FirstPage) throw Damaged(id, $"it leads to page {child}");
        return new(Slice(id, at, Number(at, 0), Number(at, 4)), default, 0, child);
    }

    ReadOnlyMemory<byte> Slice(ulong id, ReadOnlyMemory<byte> at, long position, uint length) =>
        position + length <= at.Length ? at.Slice((int)position, (int)length) : throw Damaged(id, "an element lies outside of it");

    static uint Number(ReadOnlyMemory<byte> at, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(at.Span[offset..]);

    byte[] ReadBytes(ulong id, int count)
    {
        if (id < BoltFormat.FirstPage || id >= meta.Pages || (long)id * meta.PageBytes + count > SizeBytes) throw Damaged(id, "it lies outside of the file");
        var bytes = new byte[count];
        if (Disk.Try(path, "cannot be read", () => RandomAccess.Read(file, bytes, (long)id * meta.PageBytes)) != count) throw Damaged(id, "it could not be read whole");
        return bytes;
    }

    StorageException Damaged(ulong page, string what) => new($"{path}: page {page} is damaged: {what}; copy the snapshot again, or take another one");
}
