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
        var layout = BoltImage.Measure(buckets, CancellationToken.None);
        var (before, pieces, most) = (GC.GetTotalMemory(forceFullCollection: true), 0, 0L);
        foreach (var _ in BoltImage.Write(buckets, layout))
            if (++pieces % 5000 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        Assert.InRange(most, long.MinValue, 2 << 20);
        Assert.True(layout.SizeBytes > 60_000_000);
    }
}
