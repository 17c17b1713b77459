using System.Text;
using Store.Raft;

namespace Store.Storage.Tests;

/// <summary>Short ways to say what a log is told and what it holds.</summary>
static class WalTesting
{
    internal static readonly WalOptions Small = new() { SegmentBytes = 16 << 10 };

    internal static Entry Entry(ulong index, ulong term, string data = "") =>
        new(new(term), new(index), EntryKind.Normal, Encoding.UTF8.GetBytes(data));

    internal static Entry Entry(ulong index, ulong term, byte[] data) => new(new(term), new(index), EntryKind.Normal, data);

    internal static HardState Hard(ulong term, ulong vote, ulong commit) => new(new(term), new(vote), new(commit));

    internal static void Append(this WriteAheadLog log, params Entry[] entries) => log.Persist([new(0, null, entries, null)]);

    internal static void Save(this WriteAheadLog log, HardState state) => log.Persist([new(0, state, [], null)]);

    internal static void Restart(this WriteAheadLog log, ulong index, ulong term, params ulong[] voters) =>
        log.Persist([new(0, null, [], new(new(index), new(term), MembershipConfig.Of(voters.Select(id => new NodeId(id)))))]);

    internal static WalContent Read(string folder, WalOptions? options = null)
    {
        var (log, content) = WriteAheadLog.Open(folder, options ?? Small);
        log.Dispose();
        return content;
    }

    /// <summary>All that counts, as text, so that two logs can be compared and a difference read.</summary>
    internal static string Describe(this WalContent content) =>
        $"{content.HardState} behind {content.Start.Index}/{content.Start.Term} {content.Start.Config}: " +
        string.Join(' ', content.Entries.Select(e => $"{e.Index}/{e.Term}/{e.Kind}:{Convert.ToHexString(e.Data.Span)}"));
}
