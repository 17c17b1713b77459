namespace Benchmarks;

/// <summary>Takes a gRPC message, without its prefix.</summary>
delegate void MessageTaker(ReadOnlySpan<byte> message);

/// <summary>Puts the messages of one stream together again from DATA frames that cut them anywhere; a message that came whole is not copied.</summary>
sealed class MessageAssembler
{
    byte[] kept = new byte[4096];
    int keptCount;

    public void Take(ReadOnlySpan<byte> body, MessageTaker taker)
    {
        if (keptCount == 0)
        {
            Keep(TakeWhole(body, taker));
            return;
        }
        Keep(body);
        var rest = TakeWhole(kept.AsSpan(0, keptCount), taker);
        rest.CopyTo(kept);
        keptCount = rest.Length;
    }

    /// <returns>What is left: less than one message.</returns>
    static ReadOnlySpan<byte> TakeWhole(ReadOnlySpan<byte> bytes, MessageTaker taker)
    {
        while (bytes.Length >= Grpc.PrefixSize && bytes.Length >= Grpc.PrefixSize + Grpc.MessageLength(bytes))
        {
            var end = Grpc.PrefixSize + Grpc.MessageLength(bytes);
            taker(bytes[Grpc.PrefixSize..end]);
            bytes = bytes[end..];
        }
        return bytes;
    }

    void Keep(ReadOnlySpan<byte> bytes)
    {
        if (kept.Length - keptCount < bytes.Length)
            Array.Resize(ref kept, Math.Max(kept.Length * 2, keptCount + bytes.Length));
        bytes.CopyTo(kept.AsSpan(keptCount));
        keptCount += bytes.Length;
    }
}
