namespace Benchmarks;

/// <summary>Puts new keys one after the other.</summary>
sealed class FillWorkload(string family) : IWorkload
{
    readonly byte[] value = Keys.Value(new Random(7));
    int next;

    public string Path => "/etcdserverpb.KV/Put";

    public int Write(int slot, Span<byte> to)
    {
        var message = new ProtobufWriter(to);
        message.Bytes(1, Keys.Make(family, next++));
        message.Bytes(2, value);
        return message.Length;
    }

    public bool Accept(int slot, ReadOnlySpan<byte> head, int length) => length > 0;
}
