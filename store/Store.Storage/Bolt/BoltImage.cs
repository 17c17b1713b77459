using System.Buffers.Binary;
using System.Text;
using Store.Raft;
using Store.State;

namespace Store.Storage;

/// <summary>Where the tree of a file is and how long it is; known once its pages were laid out.</summary>
public readonly record struct BoltLayout(ulong Root, ulong Pages)
{
    public long SizeBytes => (long)Pages * BoltPage.Bytes;
}

/// <summary>
/// Makes a bbolt file out of sorted pairs as a stream of pages, a few at a time in memory. The first pages tell where the tree ends up, so the pairs are gone
/// through twice: <see cref="Measure"/>, then <see cref="Write"/>.
/// </summary>
/// <remarks>
/// The alternative, a temporary file, would need the space of the whole store just when somebody may be saving it from a full disk, and would compete with the
/// log for the disk. The second reading costs processor time only.
/// </remarks>
public static class BoltImage
{
    const ulong LastTransaction = 2;

    public static BoltLayout Measure(IReadOnlyList<BackendBucket> buckets, CancellationToken cancellationToken)
    {
        var pages = new Pages(areDrawn: false);
        foreach (var _ in pages.Make(buckets, cancellationToken)) Invariant.Require(false);
        return pages.Layout;
    }

    /// <summary>The file in pieces of whole pages, each good until the next one is asked for. The buckets must be those that were measured.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Write(IReadOnlyList<BackendBucket> buckets, BoltLayout layout)
    {
        // Two valid metas, as bbolt itself leaves them in a copy: the one with the later transaction counts.
        yield return Meta(layout, LastTransaction);
        yield return Meta(layout, LastTransaction - 1);
        var pages = new Pages(areDrawn: true);
        foreach (var page in pages.Make(buckets, CancellationToken.None)) yield return page;
        Invariant.Require(pages.Layout == layout);
    }

    static byte[] Meta(BoltLayout layout, ulong transaction)
    {
        var page = new byte[BoltPage.Bytes];
        new BoltMeta(BoltPage.Bytes, layout.Root, layout.Pages, transaction).Write(page);
        return page;
    }

    sealed class Pages(bool areDrawn)
    {
        ulong next = BoltFormat.FirstPage;

        public BoltLayout Layout { get; private set; }

        public IEnumerable<ReadOnlyMemory<byte>> Make(IReadOnlyList<BackendBucket> buckets, CancellationToken cancellationToken)
        {
            var root = new BoltTree(Take, areDrawn);
            foreach (var bucket in buckets)
            {
                var tree = new BoltTree(Take, areDrawn);
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
            Layout = new(root.Root, next);
        }

        ulong Take(int count)
        {
            var first = next;
            next += (ulong)count;
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
