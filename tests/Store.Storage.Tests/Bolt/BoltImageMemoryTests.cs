using System.Buffers.Binary;
using Store.State;
using Xunit;

namespace Store.Storage.Tests;

/// <summary>Alone, after all others: the collector counts what everybody in the process holds.</summary>
[Collection(nameof(BoltImageMemoryTests))]
[CollectionDefinition(nameof(BoltImageMemoryTests), DisableParallelization = true)]
public sealed class BoltImageMemoryTests
{
    [Fact]
    public void Few_pages_are_held_however_many_pairs_there_are()
    {
        // 60 MB go through; what the garbage collector finds alive at the end of each thousand pieces stays far below.
        IEnumerable<BackendPair> Pairs()
        {
            for (var i = 0; i < 60_000; i++) yield return new(BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(i)), new byte[1000]);
        }
        BackendBucket[] buckets = [new("key", Pairs())];
        using var layout = BoltImage.Measure(buckets, CancellationToken.None);
        var (before, pieces, most) = (GC.GetTotalMemory(forceFullCollection: true), 0, 0L);
        foreach (var _ in BoltImage.Write(buckets, layout))
            if (++pieces % 5000 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        Assert.InRange(most, long.MinValue, 2 << 20);
        Assert.True(layout.SizeBytes > 60_000_000);
    }

    /// <summary>Every collection stops all requests; a backup goes through what is new every two seconds. The first one fills the pool.</summary>
    [Fact]
    public void Pages_leave_no_garbage()
    {
        BackendBucket[] buckets = [new("key", [.. Enumerable.Range(0, 4000).Select(i => new BackendPair(BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(i)), new byte[1000]))])];
        var size = Copy();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Copy();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, size / 20);

        long Copy()
        {
            using var layout = BoltImage.Measure(buckets, CancellationToken.None);
            Assert.Equal(layout.SizeBytes, BoltImage.Write(buckets, layout).Sum(piece => piece.Length));
            return layout.SizeBytes;
        }
    }
}
