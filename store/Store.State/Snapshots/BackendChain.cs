using System.Buffers.Binary;

namespace Store.State;

/// <param name="Read">The pairs of a bucket in order; none when there is no such bucket.</param>
/// <param name="To">The revision of the state that it was taken from.</param>
public sealed record ChainLink(Func<string, IEnumerable<BackendPair>> Read, Revision To);

/// <summary>
/// A whole backend, and behind it what came later, read as the backend of any revision in between. Every link is the buckets of one moment
/// (<see cref="EtcdBackend"/>); those of the later ones begin their rows where the link before them ended, or earlier.
/// </summary>
/// <remarks>
/// What is exact: the rows, at every revision. Leases, users and roles are small, stand whole in each link, and have no revision of their own: they are those
/// of the link's end. So a key of an earlier revision may name a lease that is gone by then (<see cref="RestoreOptions.FormerLeases"/>).
/// <code>
/// full    to 100   rows 1..100      leases at 100
/// delta   to 130   rows 101..130    leases at 130
/// delta   to 150   rows 131..150    leases at 150
/// until   140      rows 1..140      leases at 150, and those at 130 that a key of 140 names
/// </code>
/// </remarks>
public sealed class BackendChain
{
    /// <summary>In the order of their names.</summary>
    static readonly string[] NamesInOrder =
    [
        BackendKeys.Alarm, BackendKeys.Auth, BackendKeys.AuthRoles, BackendKeys.AuthUsers, BackendKeys.Cluster, BackendKeys.Key, BackendKeys.Lease,
        BackendKeys.Members, BackendKeys.MembersRemoved, BackendKeys.Meta,
    ];

    readonly IReadOnlyList<ChainLink> links;
    readonly Revision until;

    /// <param name="links">Oldest first; at least one.</param>
    /// <param name="until">Rows behind it are left out. Not behind the last link's end.</param>
    public BackendChain(IReadOnlyList<ChainLink> links, Revision until)
    {
        Raft.Invariant.Require(links.Count > 0 && until <= links[^1].To);
        this.links = links;
        this.until = until;
    }

    public IReadOnlyList<BackendBucket> Buckets => [.. NamesInOrder.Select(name => new BackendBucket(name, Read(name)))];

    /// <summary>For <see cref="RestoreOptions.FormerLeases"/>.</summary>
    public IReadOnlyList<BackendPair>? FormerLeases
    {
        get
        {
            if (until == links[^1].To) return null;
            var leases = new Dictionary<long, BackendPair>();
            foreach (var pair in links.SkipLast(1).SelectMany(link => link.Read(BackendKeys.Lease)))
                if (pair.Key.Length == sizeof(long)) leases[BinaryPrimitives.ReadInt64BigEndian(pair.Key.Span)] = pair;
            return [.. leases.Values];
        }
    }

    public IEnumerable<BackendPair> Read(string bucket) => bucket switch
    {
        BackendKeys.Key => Rows(),
        BackendKeys.Meta => Meta(),
        _ => links[^1].Read(bucket),
    };

    IEnumerable<BackendPair> Rows()
    {
        var seen = Revision.None;
        foreach (var link in links)
        {
            foreach (var pair in link.Read(BackendKeys.Key))
            {
                var revision = BackendKeys.ReadRevision(pair.Key.Span).Id.Main;
                if (revision > until) yield break;
                if (revision > seen) yield return pair;
            }
            if (link.To > seen) seen = link.To;
        }
    }

    /// <summary>
    /// The last link may have been compacted to behind the revision that is read; then the compaction of an earlier one counts, whose rows are all there.
    /// </summary>
    IEnumerable<BackendPair> Meta()
    {
        var compacted = links.Select(CompactedOf).LastOrDefault(revision => revision <= until);
        foreach (var pair in links[^1].Read(BackendKeys.Meta))
        {
            var isCompaction = pair.Key.Span.SequenceEqual(BackendKeys.ScheduledCompact) || pair.Key.Span.SequenceEqual(BackendKeys.FinishedCompact);
            if (!isCompaction) yield return pair;
            else if (compacted > Revision.None) yield return pair with { Value = BackendKeys.Revision(new(compacted, 0)) };
        }
    }

    static Revision CompactedOf(ChainLink link)
    {
        foreach (var pair in link.Read(BackendKeys.Meta))
            if (pair.Key.Span.SequenceEqual(BackendKeys.ScheduledCompact)) return BackendKeys.ReadRevision(pair.Value.Span).Id.Main;
        return Revision.None;
    }
}
