namespace Store.State;

/// <summary>
/// The replicated command of a put by hand, byte for byte what protobuf writes for <see cref="Protocol.Replicated.Command"/>: the request stands in it as it came
/// from the client, and is read in place when it is applied.
/// </summary>
public static class PutCommand
{
    // Field number and wire type of replicated.Command.
    const byte RequestIdTag = 1 << 3, QuotaTag = 4 << 3, PutTag = 10 << 3 | 2;

    public static int Size(ulong requestId, long quotaBytes, int requestBytes) =>
        1 + Varint.Size(requestId) + (quotaBytes == 0 ? 0 : 1 + Varint.Size((ulong)quotaBytes)) + 1 + Varint.Size((ulong)requestBytes) + requestBytes;

    /// <param name="command">Exactly <see cref="Size"/> bytes.</param>
    /// <param name="request">An encoded PutRequest that <see cref="PutFields.TryRead"/> has read.</param>
    public static void Write(Span<byte> command, ulong requestId, long quotaBytes, ReadOnlySpan<byte> request)
    {
        WriteNumber(ref command, RequestIdTag, requestId);
        if (quotaBytes != 0) WriteNumber(ref command, QuotaTag, (ulong)quotaBytes);
        WriteNumber(ref command, PutTag, (ulong)request.Length);
        request.CopyTo(command);
    }

    /// <summary>False for any other command, and for puts that carry more than this knows: read those with protobuf.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> command, out ulong requestId, out long quotaBytes, out PutFields put)
    {
        (requestId, quotaBytes) = (0, 0);
        put = default;
        while (!command.IsEmpty)
        {
            var tag = command[0];
            command = command[1..];
            if (!Varint.TryRead(ref command, out var number)) return false;
            switch (tag)
            {
                case RequestIdTag: requestId = number; break;
                case QuotaTag: quotaBytes = (long)number; break;
                // The operation comes last.
                case PutTag: return number == (ulong)command.Length && PutFields.TryRead(command, out put);
                default: return false;
            }
        }
        return false;
    }

    static void WriteNumber(ref Span<byte> buffer, byte tag, ulong number)
    {
        buffer[0] = tag;
        buffer = buffer[1..];
        Varint.Write(ref buffer, number);
    }
}
