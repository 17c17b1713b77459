namespace Operator.Core;

/// <summary>The store's member list, read linearizably: no member was added or removed that is not in it when the read began.</summary>
public sealed record Membership(string ClusterId, IReadOnlyList<ListedMember> Members)
{
    public ListedMember? Find(MemberName name) => Members.FirstOrDefault(member => member.Name == name);
}

/// <param name="Name">Null for a member whose peer URL is none of this operator's making.</param>
/// <param name="Started">False until it has published its name: it was added, but its process has never joined.</param>
public sealed record ListedMember(MemberName? Name, ulong Id, IReadOnlyList<string> PeerUrls, bool Learner, bool Started);

/// <summary>What one member says of itself; null fields of the view mean that it did not answer.</summary>
/// <param name="Leader">Id of the member that it follows; 0 when it knows of none.</param>
public sealed record MemberReport(
    ulong MemberId, string ClusterId, ulong Leader, bool Learner, string Version, ulong RaftIndex, ulong AppliedIndex, ulong Term)
{
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>The newest revision that it has given out.</summary>
    public long Revision { get; init; }

    /// <summary>Bytes of its database on disk.</summary>
    public long DbBytes { get; init; }

    /// <summary>Bytes of them that hold live data.</summary>
    public long DbInUseBytes { get; init; }
}
