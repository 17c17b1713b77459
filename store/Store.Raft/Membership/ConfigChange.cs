using System.Buffers.Binary;

namespace Store.Raft;

/// <summary>What a single-step change does to one member (Raft dissertation §4.1: one server at a time).</summary>
public enum ConfigChangeKind : byte
{
    AddVoter = 0,
    AddLearner = 1,
    /// <summary>Makes a learner a voter.</summary>
    Promote = 2,
    Remove = 3,
    /// <summary>Touches nobody's vote: the context alone (a member's addresses) goes through the log.</summary>
    Update = 4,
}

/// <summary>A change of membership as it stands in the log.</summary>
/// <param name="Context">The state machine's own description of the member; this core only carries it.</param>
public sealed record ConfigChange(ConfigChangeKind Kind, NodeId Node, ReadOnlyMemory<byte> Context)
{
    public bool ChangesVotes => Kind != ConfigChangeKind.Update;

    /// <summary>One byte of kind, eight bytes of node (big-endian), then the context.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[9 + Context.Length];
        bytes[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(1), Node.Value);
        Context.Span.CopyTo(bytes.AsSpan(9));
        return bytes;
    }

    public static ConfigChange Decode(ReadOnlyMemory<byte> data)
    {
        Invariant.Require(data.Length >= 9 && data.Span[0] <= (byte)ConfigChangeKind.Update);
        return new((ConfigChangeKind)data.Span[0], new(BinaryPrimitives.ReadUInt64BigEndian(data.Span[1..])), data[9..]);
    }
}
