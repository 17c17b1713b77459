using System.Globalization;
using System.Text;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>Everything that clients can read of a member: every key as of every revision that compaction has left, leases with their keys, and the hash.</summary>
static class KeyspaceDump
{
    static readonly ByteString Everything = ByteString.CopyFrom(0);

    /// <param name="from">The first revision to read; the last one is the newest.</param>
    public static async Task<string> ReadAsync(MemberProcess member, long from, CancellationToken cancellationToken)
    {
        var kv = new KV.KVClient(member.Channel);
        var text = new StringBuilder();
        var newest = (await RangeAsync(kv, 0, cancellationToken)).Header.Revision;
        for (var revision = from; revision <= newest; revision++)
        {
            text.Append(CultureInfo.InvariantCulture, $"revision {revision}\n");
            foreach (var pair in (await RangeAsync(kv, revision, cancellationToken)).Kvs)
                text.Append(CultureInfo.InvariantCulture, $"  {pair.Key.ToStringUtf8()} {pair.CreateRevision} {pair.ModRevision} {pair.Version} {pair.Lease:x} {pair.Value.Length} {Hash(pair.Value)}\n");
        }
        await AppendLeasesAsync(member, text, cancellationToken);
        var hash = await new Maintenance.MaintenanceClient(member.Channel).HashKVAsync(new(), cancellationToken: cancellationToken);
        text.Append(CultureInfo.InvariantCulture, $"hash {hash.Hash} at {hash.Header.Revision}, compacted {hash.CompactRevision}\n");
        return text.ToString();
    }

    static async Task<RangeResponse> RangeAsync(KV.KVClient kv, long revision, CancellationToken cancellationToken) =>
        await kv.RangeAsync(new() { Key = Everything, RangeEnd = Everything, Revision = revision }, cancellationToken: cancellationToken);

    static async Task AppendLeasesAsync(MemberProcess member, StringBuilder text, CancellationToken cancellationToken)
    {
        var client = new Lease.LeaseClient(member.Channel);
        var all = await client.LeaseLeasesAsync(new(), cancellationToken: cancellationToken);
        foreach (var id in all.Leases.Select(lease => lease.ID).Order())
        {
            var lease = await client.LeaseTimeToLiveAsync(new() { ID = id, Keys = true }, cancellationToken: cancellationToken);
            text.Append(CultureInfo.InvariantCulture, $"lease {id:x} {lease.GrantedTTL} {string.Join(' ', lease.Keys.Select(key => key.ToStringUtf8()).Order(StringComparer.Ordinal))}\n");
        }
    }

    static string Hash(ByteString value) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(value.Span))[..16];
}
