namespace Benchmarks;

/// <summary>Linearizable gets of single keys that exist.</summary>
sealed class GetWorkload : IWorkload
{
    public static readonly byte[][] StoredKeys = Keys.Many("get", 10_000);

    readonly Random random = new(2);

    public string Path => "/etcdserverpb.KV/Range";

    public int Write(int slot, Span<byte> to)
    {
        var message = new ProtobufWriter(to);
        message.Bytes(1, StoredKeys[random.Next(StoredKeys.Length)]);
        return message.Length;
    }

    public bool Accept(int slot, ReadOnlySpan<byte> head, int length) => length > Keys.ValueBytes;
}
