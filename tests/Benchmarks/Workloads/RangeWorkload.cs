namespace Benchmarks;

/// <summary>Linearizable ranges of 500 keys: one page of a Kubernetes list, about 300 KB.</summary>
sealed class RangeWorkload : IWorkload
{
    public const int PageKeys = 500;
    const int Pages = 10;

    public static readonly byte[][] StoredKeys = Keys.Many("range", PageKeys * Pages);

    readonly Random random = new(3);
    readonly byte[] end = Keys.Make("range", PageKeys * Pages);

    public string Path => "/etcdserverpb.KV/Range";

    public int Write(int slot, Span<byte> to)
    {
        var page = random.Next(Pages);
        var message = new ProtobufWriter(to);
        message.Bytes(1, StoredKeys[page * PageKeys]);
        message.Bytes(2, page == Pages - 1 ? end : StoredKeys[(page + 1) * PageKeys]);
        message.Number(3, PageKeys);
        return message.Length;
    }

    public bool Accept(int slot, ReadOnlySpan<byte> head, int length) => length > PageKeys * (Keys.KeyBytes + Keys.ValueBytes);
}
