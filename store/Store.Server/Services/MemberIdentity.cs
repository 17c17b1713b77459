using Store.Protocol.Etcdserverpb;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>Who answers: stamped into every response header.</summary>
public sealed record MemberIdentity(ulong ClusterId, NodeId MemberId, string Name)
{
    public ResponseHeader Header(Revision revision, Term term) =>
        new() { ClusterId = ClusterId, MemberId = MemberId.Value, Revision = revision.Value, RaftTerm = term.Value };

    /// <summary>Completes the header of an answer that came out of the log, which knows its revision alone.</summary>
    public void Stamp(ResponseHeader header, Term term)
    {
        header.ClusterId = ClusterId;
        header.MemberId = MemberId.Value;
        header.RaftTerm = term.Value;
    }
}
