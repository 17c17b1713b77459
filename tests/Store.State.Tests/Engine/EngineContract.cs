using System.Text;
using Xunit;

namespace Store.State.Tests;

/// <summary>What every <see cref="IKeyValueEngine"/> must do. Each implementation's tests derive from it; Store.Storage.Tests links this file.</summary>
public abstract class EngineContract
{
    protected abstract IKeyValueEngine Open();

    [Fact]
    public void A_row_is_found_in_its_own_table_only()
    {
        var engine = Open();
        engine.Write(Batch(batch => batch.Put(Table.Meta, Bytes("a"), Bytes("1"))));
        Assert.Equal(Bytes("1"), engine.Get(Table.Meta, Bytes("a")));
        Assert.Null(engine.Get(Table.Revisions, Bytes("a")));
        Assert.Null(engine.Get(Table.Meta, Bytes("b")));
    }

    [Fact]
    public void An_empty_value_is_a_value()
    {
        var engine = Open();
        engine.Write(Batch(batch => batch.Put(Table.Meta, Bytes("a"), default)));
        Assert.Empty(engine.Get(Table.Meta, Bytes("a"))!);
    }

    [Fact]
    public void Operations_of_a_batch_take_effect_in_their_order()
    {
        var engine = Open();
        engine.Write(Batch(batch =>
        {
            batch.Put(Table.Meta, Bytes("a"), Bytes("1"));
            batch.Put(Table.Meta, Bytes("a"), Bytes("2"));
            batch.Put(Table.Meta, Bytes("b"), Bytes("1"));
            batch.Delete(Table.Meta, Bytes("b"));
            batch.DeleteRange(Table.Meta, Bytes("c"), Bytes("d"));
            batch.Put(Table.Meta, Bytes("c"), Bytes("3"));
        }));
        Assert.Equal("a=2 c=3", Text(engine.Scan(Table.Meta, Bytes(""), null)));
    }

    [Fact]
    public void A_scan_is_in_byte_order_from_its_start_to_before_its_end()
    {
        var engine = Open();
        byte[][] keys = [[0x80], [0x7f], [0xff], [0x7f, 0x00], [0x00]];
        engine.Write(Batch(batch =>
        {
            foreach (var key in keys) batch.Put(Table.Revisions, key, default);
        }));
        Assert.Equal(["00", "7F", "7F00", "80", "FF"], Keys(engine.Scan(Table.Revisions, Array.Empty<byte>(), null)));
        Assert.Equal(["7F", "7F00"], Keys(engine.Scan(Table.Revisions, new byte[] { 0x7f }, new byte[] { 0x80 })));
        Assert.Equal(["7F00", "80", "FF"], Keys(engine.Scan(Table.Revisions, new byte[] { 0x7f, 0x00 }, null)));
    }

    [Fact]
    public void A_range_deletion_spares_its_end()
    {
        var engine = Open();
        engine.Write(Batch(batch =>
        {
            foreach (var key in "abcd") batch.Put(Table.Meta, Bytes(key.ToString()), default);
        }));
        engine.Write(Batch(batch => batch.DeleteRange(Table.Meta, Bytes("b"), Bytes("d"))));
        Assert.Equal("a= d=", Text(engine.Scan(Table.Meta, Bytes(""), null)));
    }

    [Fact]
    public void A_scan_under_way_does_not_see_later_writes()
    {
        var engine = Open();
        engine.Write(Batch(batch =>
        {
            batch.Put(Table.Meta, Bytes("a"), Bytes("1"));
            batch.Put(Table.Meta, Bytes("b"), Bytes("1"));
        }));
        using var rows = engine.Scan(Table.Meta, Bytes(""), null).GetEnumerator();
        Assert.True(rows.MoveNext());
        engine.Write(Batch(batch =>
        {
            batch.Put(Table.Meta, Bytes("b"), Bytes("2"));
            batch.Put(Table.Meta, Bytes("c"), Bytes("2"));
        }));
        Assert.True(rows.MoveNext());
        Assert.Equal(Bytes("1"), rows.Current.Value);
        Assert.False(rows.MoveNext());
    }

    [Fact]
    public void A_snapshot_keeps_all_tables_at_one_moment()
    {
        var engine = Open();
        engine.Write(Batch(batch =>
        {
            batch.Put(Table.Meta, Bytes("a"), Bytes("1"));
            batch.Put(Table.Revisions, Bytes("r"), Bytes("1"));
        }));
        using var snapshot = engine.Snapshot();
        engine.Write(Batch(batch =>
        {
            batch.Delete(Table.Meta, Bytes("a"));
            batch.Put(Table.Revisions, Bytes("r"), Bytes("2"));
        }));
        Assert.Equal(Bytes("1"), snapshot.Get(Table.Meta, Bytes("a")));
        Assert.Equal("r=1", Text(snapshot.Scan(Table.Revisions, Bytes(""), null)));
        Assert.Equal("r=2", Text(engine.Scan(Table.Revisions, Bytes(""), null)));
    }

    [Fact]
    public void A_cleared_batch_may_be_used_again()
    {
        var engine = Open();
        var batch = Batch(writes => writes.Put(Table.Meta, Bytes("a"), Bytes("1")));
        engine.Write(batch);
        batch.Clear();
        batch.Put(Table.Meta, Bytes("b"), Bytes("2"));
        engine.Write(batch);
        Assert.Equal("a=1 b=2", Text(engine.Scan(Table.Meta, Bytes(""), null)));
    }

    [Fact]
    public void Random_batches_leave_what_a_sorted_dictionary_says()
    {
        var engine = Open();
        var random = new Random(7);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var round = 0; round < 200; round++)
        {
            var batch = new EngineBatch();
            for (var i = random.Next(6); i >= 0; i--)
            {
                string key = $"{random.Next(30):d2}", end = $"{random.Next(30):d2}", value = $"{round}.{i}";
                switch (random.Next(8))
                {
                    case 0:
                        if (string.CompareOrdinal(key, end) > 0) (key, end) = (end, key);
                        batch.DeleteRange(Table.Revisions, Bytes(key), Bytes(end));
                        foreach (var gone in model.Keys.Where(k => string.CompareOrdinal(k, key) >= 0 && string.CompareOrdinal(k, end) < 0).ToList()) model.Remove(gone);
                        break;
                    case 1 or 2:
                        batch.Delete(Table.Revisions, Bytes(key));
                        model.Remove(key);
                        break;
                    default:
                        batch.Put(Table.Revisions, Bytes(key), Bytes(value));
                        model[key] = value;
                        break;
                }
            }
            engine.Write(batch);
            Assert.Equal(string.Join(' ', model.Select(row => $"{row.Key}={row.Value}")), Text(engine.Scan(Table.Revisions, Bytes(""), null)));
        }
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static EngineBatch Batch(Action<EngineBatch> fill)
    {
        var batch = new EngineBatch();
        fill(batch);
        return batch;
    }

    protected static string Text(IEnumerable<EngineRow> rows) =>
        string.Join(' ', rows.Select(row => $"{Encoding.UTF8.GetString(row.Key)}={Encoding.UTF8.GetString(row.Value)}"));

    static IEnumerable<string> Keys(IEnumerable<EngineRow> rows) => rows.Select(row => Convert.ToHexString(row.Key));
}
