using Google.Protobuf;
using Store.Protocol.Mvccpb;
using Store.State;

namespace Store.Server.Tests;

/// <summary>A log of single puts with real encoded rows, and the feed that publishes it.</summary>
sealed class ScriptedHistory : IEventHistory
{
    readonly List<RevisionEvents> all = [];
    readonly Lock gate = new();

    public ScriptedHistory() => Feed = new(() => (Revision, this));

    public WatchFeed Feed { get; }

    public Revision Revision { get; private set; } = Revision.Initial;

    public Revision Compacted { get; set; }

    public void Put(string key, byte[] value)
    {
        lock (gate)
        {
            var revision = Revision.Next;
            var row = new KeyValue { Key = ByteString.CopyFromUtf8(key), Value = UnsafeByteOperations.UnsafeWrap(value), CreateRevision = revision.Value, ModRevision = revision.Value, Version = 1 };
            all.Add(new(revision, [new(new(revision, 0), false, true, row.Key.Memory, row.ToByteArray(), RowId.None)]));
            Revision = revision;
        }
        Feed.Publish(Revision, this);
    }

    public IEnumerable<RevisionEvents>? Read(Revision from, Revision to)
    {
        lock (gate) return from < Compacted ? null : [.. all.Skip((int)(from.Value - 2)).Take((int)(to.Value - from.Value + 1))];
    }

    public bool InMemory(Revision from) => true;

    public ReadOnlyMemory<byte>? Previous(StoredEvent storedEvent) => null;
}
