using System.Buffers.Binary;
using Store.Raft;

namespace Store.State;

/// <summary>The numbers of the state, one row of <see cref="Table.Meta"/> written with every batch.</summary>
/// <param name="Compacted">-1 before the first compaction.</param>
/// <param name="RefusedCost">What the write needed whose refusal raised NOSPACE; see <see cref="Quota"/>.</param>
/// <param name="Hash">The running hash of all that was applied.</param>
readonly record struct AppliedState(
    ulong Index, ulong Term, long Revision, long Compacted, SpaceUsage Space, long RefusedCost, ulong Hash)
{
    const int Bytes = 1 + 9 * 8;

    public static readonly AppliedState New = new(0, 0, 1, -1, default, 0, 0);

    /// <param name="format">One that all members can read: <see cref="StateFormat.Under"/>.</param>
    public byte[] Encode(byte format)
    {
        var bytes = new byte[Bytes];
        bytes[0] = format;
        Span<long> numbers =
        [
            (long)Index, (long)Term, Revision, Compacted, Space.PutBytes, Space.SupersededBytes, Space.CompactedBytes, RefusedCost, (long)Hash,
        ];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1 + i * 8), numbers[i]);
        return bytes;
    }

    public static AppliedState Decode(byte[] bytes)
    {
        StateFormat.RequireKnown(bytes.Length == 0 ? (byte)0 : bytes[0]);
        Invariant.Require(bytes.Length == Bytes);
        long Number(int i) => BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(1 + i * 8));
        return new((ulong)Number(0), (ulong)Number(1), Number(2), Number(3), new(Number(4), Number(5), Number(6)), Number(7), (ulong)Number(8));
    }
}
