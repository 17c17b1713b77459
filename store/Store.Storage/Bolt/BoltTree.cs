using System.Buffers;
using Store.Raft;

namespace Store.Storage;

/// <summary>
/// A B+tree made of sorted elements in one go: pages are full, and finished as soon as they are, leaves and the branches above them in between. What is held is
/// one unfinished page for each level, however many elements there are.
/// </summary>
/// <param name="takePages">Gives the number of the first of so many pages.</param>
/// <param name="areDrawn">Whether pages are wanted, and not only their numbers.</param>
sealed class BoltTree(Func<int, ulong> takePages, Func<bool> areDrawn)
{
    readonly List<BoltPage> levels = [new(BoltFormat.LeafPage)];
    readonly Queue<ArraySegment<byte>> finished = new();
    ArraySegment<byte> taken;

    /// <summary>Set by <see cref="Finish"/>.</summary>
    internal ulong Root { get; private set; }

    internal void Add(in BoltElement element) => Add(0, element);

    /// <param name="pages">Good until the next call, which takes their memory back: a copy of the state should not leave as much garbage, since collections stop all requests.</param>
    internal bool TryTake(out ReadOnlyMemory<byte> pages)
    {
        if (taken.Array is { } former) ArrayPool<byte>.Shared.Return(former);
        var isThere = finished.TryDequeue(out taken);
        pages = taken;
        return isThere;
    }

    internal void Finish()
    {
        for (var level = 0; ; level++)
        {
            // A branch with a single child is none: the child is the root.
            if (level > 0 && level == levels.Count - 1 && levels[level].Count == 1)
            {
                Root = levels[level].FirstChild;
                return;
            }
            if (level == levels.Count - 1)
            {
                Root = Write(levels[level]);
                return;
            }
            FinishPage(level);
        }
    }

    void Add(int level, in BoltElement element)
    {
        if (level == levels.Count) levels.Add(new(BoltFormat.BranchPage));
        // A branch has two children at least, however long their keys (users and roles have names of any length), or the tree would grow up and up.
        if (!levels[level].Fits(element) && (level == 0 || levels[level].Count > 1)) FinishPage(level);
        levels[level].Add(element);
    }

    void FinishPage(int level)
    {
        var page = levels[level];
        Invariant.Require(page.Count > 0);
        var first = page.FirstKey;
        Add(level + 1, new(first, default, 0, Write(page)));
    }

    ulong Write(BoltPage page)
    {
        var id = takePages(page.Pages);
        if (areDrawn())
        {
            var bytes = page.Pages * BoltPage.Bytes;
            var image = new ArraySegment<byte>(ArrayPool<byte>.Shared.Rent(bytes), 0, bytes);
            page.Draw(image, id);
            finished.Enqueue(image);
        }
        page.Clear();
        return id;
    }
}
