namespace Store.State;

/// <summary>Protobuf's variable-length numbers, for what is read by hand.</summary>
static class Varint
{
    public static int Size(ulong number) => (63 - System.Numerics.BitOperations.LeadingZeroCount(number | 1)) / 7 + 1;

    public static void Write(scoped ref Span<byte> buffer, ulong number)
    {
        var at = 0;
        for (; number >= 0x80; number >>= 7) buffer[at++] = (byte)(number | 0x80);
        buffer[at++] = (byte)number;
        buffer = buffer[at..];
    }

    /// <summary>False when the bytes end first, or the number has more than 64 bits.</summary>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> bytes, out ulong number)
    {
        number = 0;
        for (int at = 0, shift = 0; at < bytes.Length && shift < 64; at++, shift += 7)
        {
            number |= (ulong)(bytes[at] & 0x7f) << shift;
            if (bytes[at] >= 0x80) continue;
            bytes = bytes[(at + 1)..];
            return true;
        }
        return false;
    }

    /// <summary>The next bytes, so many; false when there are fewer.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> bytes, ulong length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (length > (ulong)bytes.Length) return false;
        taken = bytes[..(int)length];
        bytes = bytes[(int)length..];
        return true;
    }
}
