using System.Buffers;

namespace Store.Storage;

/// <summary>Pages one after the other in pooled memory, up to a limit.</summary>
sealed class KeptPages(int bytesMax) : IDisposable
{
    const int BlockBytes = 1 << 20;

    readonly List<byte[]> blocks = [];
    int bytes;

    /// <summary>Each but the last is full.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Blocks => blocks.Select((block, i) => new ReadOnlyMemory<byte>(block, 0, Math.Min(BlockBytes, bytes - i * BlockBytes)));

    /// <returns>False when they do not fit; none are kept then.</returns>
    internal bool TryAdd(ReadOnlySpan<byte> pages)
    {
        if (bytes + pages.Length > bytesMax)
        {
            Dispose();
            return false;
        }
        while (!pages.IsEmpty)
        {
            var at = bytes % BlockBytes;
            if (at == 0) blocks.Add(ArrayPool<byte>.Shared.Rent(BlockBytes));
            var count = Math.Min(pages.Length, BlockBytes - at);
            pages[..count].CopyTo(blocks[^1].AsSpan(at));
            pages = pages[count..];
            bytes += count;
        }
        return true;
    }

    public void Dispose()
    {
        foreach (var block in blocks) ArrayPool<byte>.Shared.Return(block);
        blocks.Clear();
        bytes = 0;
    }
}
