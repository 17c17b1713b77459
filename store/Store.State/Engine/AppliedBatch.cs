using System.Buffers.Binary;
using System.Numerics;

namespace Store.State;

/// <summary>
/// The batch of one apply. Everything that goes in is also folded into the running hash of the state (design S13), in the order of the log and
/// independent of how entries were grouped into batches.
/// </summary>
sealed class AppliedBatch
{
    public EngineBatch Writes { get; } = new();

    public ulong Hash { get; set; }

    public void Put(Table table, byte[] key, ReadOnlyMemory<byte> value)
    {
        Writes.Put(table, key, value);
        Hash = Fold(Fold(Hash, key), value.Span);
    }

    public void Delete(Table table, byte[] key)
    {
        Writes.Delete(table, key);
        Hash = Fold(Hash ^ 1, key);
    }

    /// <summary>
    /// Never changed: members of different versions run beside each other, and whoever folded otherwise would seem to have diverged. A few hundred cycles for a value of a
    /// kilobyte: multiply and rotate per word. It guards against accidents, not against forgers.
    /// </summary>
    static ulong Fold(ulong hash, ReadOnlySpan<byte> bytes)
    {
        const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;
        hash = (hash ^ (ulong)bytes.Length) * Multiplier;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes), 29) * Multiplier;
        foreach (var b in bytes) hash = BitOperations.RotateLeft(hash ^ b, 29) * Multiplier;
        return hash;
    }
}
