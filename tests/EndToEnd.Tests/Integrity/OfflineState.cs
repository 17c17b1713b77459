using Store.State;
using Store.Storage;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A member's state while the member is down.</summary>
static class OfflineState
{
    /// <summary>Puts other bytes of the same length into the rows that hold these. RocksDB makes new checksums for them: nothing on the disk shows that it was done.</summary>
    public static void Replace(string dataDirectory, ReadOnlySpan<byte> present, ReadOnlySpan<byte> other)
    {
        var state = Path.Combine(dataDirectory, "member", "state");
        var folder = File.ReadLines(Path.Combine(state, "current")).First(line => line.StartsWith("folder ", StringComparison.Ordinal))["folder ".Length..];
        using var engine = RocksEngine.Open(Path.Combine(state, folder), new());
        var edited = new EngineBatch();
        foreach (var row in engine.Scan(Table.Revisions, ReadOnlyMemory<byte>.Empty, null))
        {
            var at = row.Value.AsSpan().IndexOf(present);
            if (at < 0) continue;
            byte[] value = [.. row.Value];
            other.CopyTo(value.AsSpan(at));
            edited.Put(Table.Revisions, row.Key, value);
        }

        Assert.True(edited.Operations.Count > 0, "the files do not hold the value yet");
        engine.Write(edited);
        engine.Flush();
    }
}
