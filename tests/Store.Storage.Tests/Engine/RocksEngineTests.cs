using System.Text;
using Store.State;
using Xunit;

namespace Store.Storage.Tests;

public sealed class RocksEngineTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    static EngineBatch Puts(Table table, params (string Key, string Value)[] rows)
    {
        var batch = new EngineBatch();
        foreach (var (key, value) in rows) batch.Put(table, Bytes(key), Bytes(value));
        return batch;
    }

    static string Text(IEnumerable<EngineRow> rows) =>
        string.Join(' ', rows.Select(row => $"{Encoding.UTF8.GetString(row.Key)}={Encoding.UTF8.GetString(row.Value)}"));

    RocksEngine Open(string name = "state") => RocksEngine.Open(folder[name], new());

    [Fact]
    public void Rows_are_read_back_in_key_order_within_their_table()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("b", "2"), ("a", "1"), ("c", "3"), ("d", "4")));
        engine.Write(Puts(Table.Meta, ("a", "meta")));
        Assert.Equal("1", Encoding.UTF8.GetString(engine.Get(Table.Revisions, "a"u8)!));
        Assert.Null(engine.Get(Table.Revisions, "x"u8));
        Assert.Equal("b=2 c=3", Text(engine.Scan(Table.Revisions, Bytes("b"), Bytes("d"))));
        Assert.Equal("b=2 c=3 d=4", Text(engine.Scan(Table.Revisions, Bytes("b"), null)));
        Assert.Equal("a=meta", Text(engine.Scan(Table.Meta, default, null)));
        Assert.Equal("", Text(engine.Scan(Table.Revisions, Bytes("b"), Bytes(""))));
    }

    [Fact]
    public void A_batch_takes_effect_in_the_order_of_its_operations()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1"), ("b", "2"), ("c", "3")));
        var batch = new EngineBatch();
        batch.DeleteRange(Table.Revisions, Bytes("a"), Bytes("c"));
        batch.Put(Table.Revisions, Bytes("b"), Bytes("new"));
        batch.Delete(Table.Revisions, Bytes("c"));
        batch.Put(Table.Revisions, Bytes("empty"), default);
        engine.Write(batch);
        Assert.Equal("b=new empty=", Text(engine.Scan(Table.Revisions, default, null)));
        Assert.Equal([], engine.Get(Table.Revisions, "empty"u8)!);
    }

    [Fact]
    public void A_scan_and_a_snapshot_do_not_see_later_writes()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1"), ("b", "1")));
        using var snapshot = engine.Snapshot();
        using var rows = engine.Scan(Table.Revisions, default, null).GetEnumerator();
        Assert.True(rows.MoveNext());
        engine.Write(Puts(Table.Revisions, ("a", "2"), ("b", "2"), ("c", "2")));
        Assert.True(rows.MoveNext());
        Assert.Equal("1", Encoding.UTF8.GetString(rows.Current.Value));
        Assert.False(rows.MoveNext());
        Assert.Equal("a=1 b=1", Text(snapshot.Scan(Table.Revisions, default, null)));
        Assert.Equal("1", Encoding.UTF8.GetString(snapshot.Get(Table.Revisions, "a"u8)!));
        Assert.Null(snapshot.Get(Table.Revisions, "c"u8));
        Assert.Equal("a=2 b=2 c=2", Text(engine.Scan(Table.Revisions, default, null)));
    }

    [Fact]
    public void Abandoned_enumerators_are_freed_by_the_collector()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1"), ("b", "1")));
        for (var i = 0; i < 10_000; i++) engine.Scan(Table.Revisions, default, null).GetEnumerator().MoveNext();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal("a=1 b=1", Text(engine.Scan(Table.Revisions, default, null)));
    }

    [Fact]
    public void A_reader_outlives_the_closing_of_the_engine()
    {
        var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1"), ("b", "2")));
        using (var rows = engine.Scan(Table.Revisions, default, null).GetEnumerator())
        {
            Assert.True(rows.MoveNext());
            engine.Dispose();
            Assert.True(rows.MoveNext());
            Assert.Equal("2", Encoding.UTF8.GetString(rows.Current.Value));
        }
        Assert.Throws<ObjectDisposedException>(() => engine.Get(Table.Revisions, "a"u8));
        using var again = Open();
    }

    [Fact]
    public void After_a_kill_exactly_what_was_flushed_is_there_in_all_tables()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1")));
        engine.Write(Puts(Table.Meta, ("applied", "1")));
        engine.Flush();
        engine.Write(Puts(Table.Revisions, ("b", "2")));
        engine.Write(Puts(Table.Meta, ("applied", "2")));
        TemporaryFolder.Copy(folder["state"], folder["killed"]);
        using var after = Open("killed");
        Assert.Equal("a=1", Text(after.Scan(Table.Revisions, default, null)));
        Assert.Equal("applied=1", Text(after.Scan(Table.Meta, default, null)));
    }

    [Fact]
    public void Memtables_that_fill_up_are_flushed_together()
    {
        var random = new Random(1);
        using var engine = RocksEngine.Open(folder["state"], new() { MemtableBytes = 256 << 10 });
        var batch = new EngineBatch();
        for (var i = 0; i < 2_000; i++)
        {
            batch.Clear();
            var value = new byte[1024];
            random.NextBytes(value);
            batch.Put(Table.Revisions, BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(i)), value);
            batch.Put(Table.Meta, Bytes("applied"), BitConverter.GetBytes(i));
            engine.Write(batch);
        }
        TemporaryFolder.Copy(folder["state"], folder["killed"]);
        using var after = Open("killed");
        var applied = BitConverter.ToInt32(after.Get(Table.Meta, "applied"u8)!);
        Assert.InRange(applied, 1, 1_999);
        Assert.Equal(applied + 1, after.Scan(Table.Revisions, default, null).Count());
    }

    [Fact]
    public void A_checkpoint_is_a_whole_copy_that_later_writes_do_not_touch()
    {
        using var engine = Open();
        engine.Write(Puts(Table.Revisions, ("a", "1")));
        engine.Write(Puts(Table.Meta, ("applied", "1")));
        engine.Checkpoint(folder["copy"]);
        engine.Write(Puts(Table.Revisions, ("a", "2")));
        engine.Flush();
        using var copy = Open("copy");
        Assert.Equal("a=1", Text(copy.Scan(Table.Revisions, default, null)));
        Assert.Equal("applied=1", Text(copy.Scan(Table.Meta, default, null)));
    }

    [Fact]
    public void The_size_grows_with_the_rows()
    {
        using var engine = Open();
        var before = engine.Size;
        for (var i = 0; i < 100; i++) engine.Write(Puts(Table.Revisions, ($"{i:d4}", new string((char)('a' + (i % 26)), 10_000))));
        Assert.True(engine.Size.InUseBytes > before.InUseBytes);
        engine.Flush();
        Assert.True(engine.Size.AllocatedBytes > 0);
        Assert.True(engine.Size.InUseBytes <= engine.Size.AllocatedBytes);
    }

    [Fact]
    public void A_second_opening_is_refused_in_one_line()
    {
        using var engine = Open();
        var refusal = Assert.Throws<StorageException>(() => Open());
        Assert.Contains("another process uses this data directory", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void Damage_is_told_and_never_read_as_data_or_as_the_end()
    {
        using (var engine = Open())
        {
            for (var i = 0; i < 1000; i++) engine.Write(Puts(Table.Revisions, ($"{i:d4}", $"value {i}")));
        }
        var table = new DirectoryInfo(folder["state"]).GetFiles("*.sst").MaxBy(file => file.Length)!;
        using (var file = table.Open(FileMode.Open))
        {
            file.Position = 3000;
            var original = file.ReadByte();
            file.Position = 3000;
            file.WriteByte((byte)(original ^ 0x10));
        }
        var refusal = Assert.Throws<StorageException>(() =>
        {
            using var engine = Open();
            _ = engine.Scan(Table.Revisions, default, null).Count();
        });
        Assert.Contains(folder["state"], refusal.Message, StringComparison.Ordinal);
    }
}
