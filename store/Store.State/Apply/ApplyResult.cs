using Google.Protobuf;
using Store.Raft;

namespace Store.State;

/// <summary>What applying one entry came to; the same on every member.</summary>
/// <param name="RequestId">From the command; zero for entries that nobody waits for.</param>
/// <param name="Response">
/// The etcd response (PutResponse, TxnResponse, ...) with header.revision set; cluster, member and term are filled in by the serving member. Null on
/// error. Belongs to the receiver.
/// </param>
public sealed record ApplyResult(LogIndex Index, ulong RequestId, StoreError Error, Revision Revision, IMessage? Response)
{
    /// <summary>To be remembered by every member, whoever asked for it.</summary>
    public GrantedToken? Token { get; init; }
}
