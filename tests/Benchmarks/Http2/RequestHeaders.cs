using System.Text;

namespace Benchmarks;

/// <summary>
/// The HPACK block of a gRPC request, built once a connection. As with any real client the first request puts its headers into the dynamic table and
/// every later one is seven index bytes, so the server decodes what it would decode in service.
/// </summary>
sealed class RequestHeaders
{
    // Static table entries (RFC 7541, appendix A).
    const byte MethodPost = 0x80 | 3;
    const byte SchemeHttp = 0x80 | 6;
    const byte Authority = 1;
    const byte Path = 4;
    const byte ContentType = 31;
    const byte UserAgent = 58;
    const byte IncrementalIndexing = 0x40;
    const byte FirstDynamicEntry = 62;

    public RequestHeaders(string path, string authority)
    {
        List<byte> first = [MethodPost, SchemeHttp];
        Literal(first, Path, path);
        Literal(first, Authority, authority);
        Literal(first, ContentType, "application/grpc");
        first.Add(IncrementalIndexing);
        Text(first, "te");
        Text(first, "trailers");
        Literal(first, UserAgent, "benchmarks");
        First = [.. first];
        // The dynamic table counts from the newest entry: user-agent is 62, path is 66.
        Later = [MethodPost, SchemeHttp, .. Enumerable.Range(0, 5).Select(n => (byte)(0x80 | (FirstDynamicEntry + 4 - n)))];
    }

    public byte[] First { get; }
    public byte[] Later { get; }

    static void Literal(List<byte> block, byte staticName, string value)
    {
        block.Add((byte)(IncrementalIndexing | staticName));
        Text(block, value);
    }

    static void Text(List<byte> block, string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        if (bytes.Length > 126)
            throw new ArgumentOutOfRangeException(nameof(text), text, "Lengths above 126 need a prefix continuation, which nothing here has.");
        block.Add((byte)bytes.Length);
        block.AddRange(bytes);
    }
}
