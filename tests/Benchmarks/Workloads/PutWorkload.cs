namespace Benchmarks;

/// <summary>Puts to random keys of a fixed set: most are overwrites, as in service.</summary>
sealed class PutWorkload : IWorkload
{
    readonly byte[][] keys = Keys.Many("put", 10_000);
    readonly Random random = new(1);
    readonly byte[] value;

    public PutWorkload() => value = Keys.Value(random);

    public string Path => "/etcdserverpb.KV/Put";

    public int Write(int slot, Span<byte> to)
    {
        var message = new ProtobufWriter(to);
        message.Bytes(1, keys[random.Next(keys.Length)]);
        message.Bytes(2, value);
        return message.Length;
    }

    public bool Accept(int slot, ReadOnlySpan<byte> head, int length) => length > 0;
}
