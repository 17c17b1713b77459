using System.Buffers.Binary;
using System.Text;
using Store.Raft;
using Store.State;

namespace Store.Storage;

/// <summary>Where the tree of a file is and how long it is; known once its pages were laid out. It may hold the pages themselves, until it is disposed.</summary>
public sealed class BoltLayout : IDisposable
{
    internal BoltLayout(ulong root, ulong pages, KeptPages? kept) => (Root, Pages, Kept) = (root, pages, kept);

    internal ulong Root { get; }

    internal ulong Pages { get; }

    internal KeptPages? Kept { get; }

    public long SizeBytes => (long)Pages * BoltPage.Bytes;

    public void Dispose() => Kept?.Dispose();
}

/// <summary>
/// Makes a bbolt file out of sorted pairs as a stream of pages, a few at a time in memory. The first pages tell where the tree ends up, so the pairs are gone
/// through twice, <see cref="Measure"/>, then <see cref="Write"/>; but not those of a short file, which is kept as it is measured: a backup agent asks for one every
/// few seconds, and pays for half the work.
/// </summary>
/// <remarks>
/// The alternative for long ones, a temporary file, would need the space of the whole store just when somebody may be saving it from a full disk, and would compete
/// with the log for the disk. The second reading costs processor time only.
/// </remarks>
public static class BoltImage
{
    /// <summary>More than 2,000 writes of 1 KiB a second for five seconds.</summary>
    const int KeptBytesMax = 16 << 20;

    const ulong LastTransaction = 2;

    public static BoltLayout Measure(IReadOnlyList<BackendBucket> buckets, CancellationToken cancellationToken)
    {
        var (pages, kept) = (new Pages(), new KeptPages(KeptBytesMax));
        try
        {
            foreach (var page in pages.Make(buckets, cancellationToken))
                if (pages.AreDrawn && !kept.TryAdd(page.Span)) pages.AreDrawn = false;
            return new(pages.Root, pages.Count, pages.AreDrawn ? kept : null);
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    /// <summary>The file in pieces of whole pages, each good until the next one is asked for. The buckets must be those that were measured.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Write(IReadOnlyList<BackendBucket> buckets, BoltLayout layout)
    {
        // Two valid metas, as bbolt itself leaves them in a copy: the one with the later transaction counts.
        yield return Meta(layout, LastTransaction);
        yield return Meta(layout, LastTransaction - 1);
        if (layout.Kept is { } kept)
        {
            foreach (var block in kept.Blocks) yield return block;
            yield break;
        }
        var pages = new Pages();
        foreach (var page in pages.Make(buckets, CancellationToken.None)) yield return page;
        Invariant.Require(pages.Root == layout.Root && pages.Count == layout.Pages);
    }

    static byte[] Meta(BoltLayout layout, ulong transaction)
    {
        var page = new byte[BoltPage.Bytes];
        new BoltMeta(BoltPage.Bytes, layout.Root, layout.Pages, transaction).Write(page);
        return page;
    }

    sealed class Pages
    {
        /// <summary>Pages are numbered only, and none come, where they are not wanted any more.</summary>
        public bool AreDrawn { get; set; } = true;

        /// <summary>None until the last page.</summary>
        public ulong Root { get; private set; }

        public ulong Count { get; private set; } = BoltFormat.FirstPage;

        public IEnumerable<ReadOnlyMemory<byte>> Make(IReadOnlyList<BackendBucket> buckets, CancellationToken cancellationToken)
        {
            var root = new BoltTree(Take, () => AreDrawn);
            foreach (var bucket in buckets)
            {
                var tree = new BoltTree(Take, () => AreDrawn);
                foreach (var (key, value) in bucket.Pairs)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    tree.Add(new(key, value, 0, 0));
                    while (tree.TryTake(out var pages)) yield return pages;
                }
                tree.Finish();
                while (tree.TryTake(out var pages)) yield return pages;
                root.Add(new(Encoding.ASCII.GetBytes(bucket.Name), BucketHeader(tree.Root), BoltFormat.BucketElement, 0));
            }
            root.Finish();
            while (root.TryTake(out var pages)) yield return pages;
            Root = root.Root;
        }

        ulong Take(int count)
        {
            var first = Count;
            Count += (ulong)count;
            return first;
        }

        static byte[] BucketHeader(ulong root)
        {
            var header = new byte[BoltFormat.BucketHeaderBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(header, root);
            return header;
        }
    }
}
