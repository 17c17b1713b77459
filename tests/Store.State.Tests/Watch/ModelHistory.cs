using System.Text;

namespace Store.State.Tests;

/// <summary>The event log as a list: what the hub is compared with, and what it reads in these tests.</summary>
sealed class ModelHistory(int tailRevisions = int.MaxValue) : IEventHistory
{
    readonly SortedDictionary<string, (RowId Id, long Create, byte[] Encoded)> live = new(StringComparer.Ordinal);
    readonly Dictionary<RowId, byte[]> rows = [];

    public List<RevisionEvents> All { get; } = [];

    /// <summary>What each event replaced, whatever compaction did since.</summary>
    public Dictionary<RowId, byte[]?> Replaced { get; } = [];

    public Revision Revision { get; private set; } = Revision.Initial;

    public Revision Compacted { get; private set; } = new(-1);

    /// <summary>Reads that went behind the tail.</summary>
    public int DiskReads { get; private set; }

    /// <summary>One revision: puts, and deletions (null value) of keys that live.</summary>
    public void Write(params (string Key, string? Value)[] changes)
    {
        var revision = Revision.Next;
        var events = new List<StoredEvent>();
        foreach (var (key, value) in changes)
        {
            var id = new RowId(revision, events.Count);
            var known = live.TryGetValue(key, out var old);
            if (value is null && !known) continue;
            var encoded = Encoding.UTF8.GetBytes($"{key}={value ?? "-"}@{revision}");
            events.Add(new(id, value is null, !known && value is not null, Encoding.UTF8.GetBytes(key), encoded, known ? old.Id : RowId.None));
            Replaced[id] = known ? old.Encoded : null;
            rows[id] = encoded;
            if (value is null) live.Remove(key);
            else live[key] = (id, known ? old.Create : revision.Value, encoded);
        }
        if (events.Count == 0) return;
        Revision = revision;
        All.Add(new(revision, events));
    }

    public void Compact(Revision revision) => Compacted = revision;

    public IEnumerable<RevisionEvents>? Read(Revision from, Revision to)
    {
        var inMemory = InMemory(from);
        if (!inMemory) DiskReads++;
        if (from < Compacted && !inMemory) return null;
        return All.Where(change => change.Revision >= from && change.Revision <= to);
    }

    public bool InMemory(Revision from) => from.Value > Revision.Value - tailRevisions;

    public ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent) =>
        storedEvent.Superseded.IsNone ? null : rows[storedEvent.Superseded];
}
