namespace Store.Raft;

/// <summary>What an entry carries.</summary>
public enum EntryKind : byte
{
    /// <summary>A command of the state machine; empty data is the entry with which a leader opens its term (Raft §8).</summary>
    Normal = 0,

    /// <summary>An encoded <see cref="ConfigChange"/>.</summary>
    ConfigChange = 1,
}

/// <summary>One entry of the replicated log (Raft §5.3). Its data is never changed after it was made.</summary>
public sealed record Entry(Term Term, LogIndex Index, EntryKind Kind, ReadOnlyMemory<byte> Data)
{
    /// <summary>What the entry counts for when messages and queues are bounded: its data and a little for the rest.</summary>
    public int SizeBytes => Data.Length + 24;
}
