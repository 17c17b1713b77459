using System.Buffers.Binary;
using Store.Raft;

namespace Store.State;

/// <summary>
/// Physical compaction in bounded steps: walks the events from the compaction before up to the compacted revision and deletes what each of them
/// superseded. Every step is one batch with its own progress, so a crash resumes where it stood; how far members have come may differ, and nothing
/// that is applied depends on it.
/// </summary>
/// <remarks>
/// A tombstone below the target is deleted with what it superseded. One exactly at the target stays for watches that start there, and goes with the
/// next compaction, whose walk therefore begins at the last target and not behind it.
/// </remarks>
sealed class Compactor(PublishedState published, MvccStore store)
{
    readonly EngineBatch batch = new();
    Progress progress = new(-1, -1, RowId.None);

    public void Restore() =>
        progress = published.Engine.Get(Table.Meta, MetaKeys.CompactionProgress) is { } bytes ? Progress.Decode(bytes) : progress;

    /// <summary>Everything that may be deleted is.</summary>
    public bool IsIdle => progress.IsDone && progress.Finished == store.Compacted;

    /// <summary>Looks at up to so many rows.</summary>
    public void Step(int rowsMax)
    {
        Invariant.Require(rowsMax > 0 && !IsIdle);
        if (progress.IsDone) progress = new(progress.Finished, store.Compacted, new(new(Math.Max(progress.Finished, 0)), 0));
        var next = Walk(rowsMax);
        progress = next is { } position ? progress with { Position = position } : new(progress.Target, progress.Target, RowId.None);
        batch.Put(Table.Meta, MetaKeys.CompactionProgress, progress.Encode());
        published.Engine.Write(batch);
        batch.Clear();
    }

    /// <summary>The position after the step; null at the end.</summary>
    RowId? Walk(int rowsMax)
    {
        var end = new RowId(new(progress.Target + 1), 0);
        var seen = 0;
        foreach (var (key, value) in published.Engine.Scan(Table.Revisions, Row.EngineKey(progress.Position), Row.EngineKey(end)))
        {
            var id = Row.ReadKey(key);
            if (seen++ == rowsMax) return id;
            Visit(id, Row.Checked(value));
        }
        return null;
    }

    void Visit(RowId id, byte[] row)
    {
        var superseded = Row.Superseded(row);
        var isDead = Row.IsTombstone(row) && id.Main.Value < progress.Target;
        var isNew = id.Main.Value > progress.Finished;
        if (isNew && !superseded.IsNone) batch.Delete(Table.Revisions, Row.EngineKey(superseded));
        if (isDead) batch.Delete(Table.Revisions, Row.EngineKey(id));
        store.Trim(Row.Fields(row).Key, progress.Target);
    }

    /// <param name="Finished">Everything up to here is deleted.</param>
    /// <param name="Target">The compaction under way; equal to Finished when none is.</param>
    /// <param name="Position">Where the walk goes on.</param>
    readonly record struct Progress(long Finished, long Target, RowId Position)
    {
        const byte Format = 1;

        public bool IsDone => Target == Finished;

        public byte[] Encode()
        {
            var bytes = new byte[17 + Row.KeyBytes];
            bytes[0] = Format;
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), Finished);
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(9), Target);
            Row.WriteKey(bytes.AsSpan(17), Position);
            return bytes;
        }

        public static Progress Decode(byte[] bytes)
        {
            if (bytes[0] != Format) throw new StateFormatException(bytes[0], Format);
            return new(BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(1)), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(9)), Row.ReadKey(bytes.AsSpan(17)));
        }
    }
}
