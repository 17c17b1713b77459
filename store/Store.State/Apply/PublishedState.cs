namespace Store.State;

/// <summary>What views of one state share: the newest view, and the places where rows and events are found.</summary>
sealed class PublishedState
{
    volatile StateView? latest;

    public PublishedState(IKeyValueEngine engine, long eventTailBytes)
    {
        Engine = engine;
        Tail = new(eventTailBytes);
        Rows = new(engine, Missed);
        Events = new(this);
    }

    public IKeyValueEngine Engine { get; }

    public EventTail Tail { get; }

    public MissedRows Missed { get; } = new();

    public EngineRows Rows { get; }

    public EventLog Events { get; }

    /// <summary>
    /// Replaced by the writer after the batch that it shows was written, and before any row is deleted that it no longer needs: a reader that misses a
    /// row finds here the compaction that took it.
    /// </summary>
    public StateView Latest
    {
        get => latest!;
        set => latest = value;
    }
}
