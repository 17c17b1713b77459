using System.Buffers;

namespace Store.Server;

/// <summary>What a connection speaks once it was looked at; with <see cref="Tls"/> the handshake's ALPN chooses the HTTP version within.</summary>
public enum ClientProtocol { Http1, Http2, Tls }

/// <summary>Tells HTTP/2 with prior knowledge from HTTP/1.1 by the connection's first bytes (RFC 9113 §3.4).</summary>
static class ProtocolPreface
{
    public static ReadOnlySpan<byte> Http2 => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>
    /// The protocol, or null when the bytes so far fit both. No HTTP/1.1 request starts like the preface: after "PRI * HTTP/" comes a 2. One byte is
    /// usually enough: only PUT, POST, PATCH and PROPFIND share the first letter.
    /// </summary>
    public static ClientProtocol? Recognize(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[Http2.Length];
        var count = (int)Math.Min(bytes.Length, Http2.Length);
        bytes.Slice(0, count).CopyTo(start);
        if (!Http2.StartsWith(start[..count])) return ClientProtocol.Http1;
        return count == Http2.Length ? ClientProtocol.Http2 : null;
    }
}
