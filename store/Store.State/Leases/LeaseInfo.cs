namespace Store.State;

/// <summary>A lease as the log tells of it; when it runs out is the leader's affair.</summary>
public sealed class LeaseInfo
{
    static readonly IComparer<byte[]> KeyOrder = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));

    SortedSet<byte[]>? keys;

    internal LeaseInfo(LeaseId id, long grantedSeconds, long remainingSeconds)
    {
        Id = id;
        GrantedSeconds = grantedSeconds;
        RemainingSeconds = remainingSeconds;
    }

    public LeaseId Id { get; }

    public long GrantedSeconds { get; }

    /// <summary>What a leader has last checkpointed as left; zero when none has, or since the lease was renewed: count from the full time then.</summary>
    public long RemainingSeconds { get; internal set; }

    /// <summary>Attached keys, sorted; a copy, made at each call.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Keys => keys is null ? [] : [.. keys.Select(key => (ReadOnlyMemory<byte>)key)];

    internal IReadOnlyCollection<byte[]> AttachedKeys => keys is null ? [] : keys;

    internal void Attach(byte[] key) => (keys ??= new(KeyOrder)).Add(key);

    internal void Detach(byte[] key) => keys?.Remove(key);
}
