using Xunit;

namespace Store.Server.Tests;

/// <summary>Memory of entries is nobody else's, however many take some at once.</summary>
public sealed class EntryMemoryTests
{
    [Fact]
    public void What_many_threads_take_at_once_overlaps_nowhere()
    {
        var taken = new Memory<byte>[8][];
        Parallel.For(0, taken.Length, thread =>
        {
            var chance = new Random(thread);
            taken[thread] = [.. Enumerable.Range(0, 2_000).Select(_ => Take(chance.Next(4) == 0 ? chance.Next(EntryMemory.LargestBytes + 10) : chance.Next(2_000), (byte)thread))];
        });

        for (var thread = 0; thread < taken.Length; thread++)
            Assert.All(taken[thread], memory => Assert.False(memory.Span.ContainsAnyExcept((byte)thread)));

        static Memory<byte> Take(int length, byte filled)
        {
            var memory = EntryMemory.Take(length);
            Assert.Equal(length, memory.Length);
            memory.Span.Fill(filled);
            return memory;
        }
    }
}
