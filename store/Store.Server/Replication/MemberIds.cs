using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Store.Raft;

namespace Store.Server;

/// <summary>Member and cluster ids as etcd computes them, so that the same flags give the same ids.</summary>
public static class MemberIds
{
    /// <summary>Of a member that a cluster begins with: the first eight bytes of SHA-1 over the sorted peer URLs and the cluster token.</summary>
    public static NodeId Member(IEnumerable<string> peerUrls, string token) =>
        new(FirstEight(Encoding.UTF8.GetBytes(string.Concat(peerUrls.Order(StringComparer.Ordinal)) + token)));

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
