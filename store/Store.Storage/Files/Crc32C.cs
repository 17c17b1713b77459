using System.Numerics;
using System.Runtime.InteropServices;

namespace Store.Storage;

/// <summary>CRC-32C (Castagnoli), by the processor's instruction where it has one.</summary>
static class Crc32C
{
    internal const uint Start = uint.MaxValue;

    internal static uint Compute(ReadOnlySpan<byte> data) => Finish(Add(Start, data));

    /// <summary>Of the eight bytes of the salt, then the data.</summary>
    internal static uint Compute(ulong salt, ReadOnlySpan<byte> data) => Finish(Add(BitOperations.Crc32C(Start, salt), data));

    internal static uint Add(uint crc, ReadOnlySpan<byte> data)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var b in data[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    internal static uint Finish(uint crc) => ~crc;
}
