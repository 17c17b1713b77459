using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Store.Raft;

namespace Store.Server;

/// <summary>Member and cluster ids as etcd computes them, so that the same flags give the same ids.</summary>
public static class MemberIds
{
    /// <summary>
    /// The first eight bytes of SHA-1 over the sorted peer URLs, the cluster token and, for a member added later, the Unix time in decimal. A bootstrapped
    /// member has no time; a member added through the API has an empty token.
    /// </summary>
    public static NodeId Member(IEnumerable<string> peerUrls, string token, DateTimeOffset? added = null)
    {
        var text = string.Concat(peerUrls.Order(StringComparer.Ordinal)) + token;
        if (added is { } time) text += time.ToUnixTimeSeconds().ToString();
        return new(FirstEight(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>The first eight bytes of SHA-1 over the ids of the first members, sorted.</summary>
    public static ulong Cluster(IEnumerable<NodeId> members)
    {
        var sorted = members.Order().ToArray();
        var bytes = new byte[8 * sorted.Length];
        for (var i = 0; i < sorted.Length; i++) BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8 * i), sorted[i].Value);
        return FirstEight(bytes);
    }

#pragma warning disable CA5350 // Not for secrecy: etcd's ids are defined by SHA-1.
    static ulong FirstEight(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(SHA1.HashData(bytes));
#pragma warning restore CA5350
}
