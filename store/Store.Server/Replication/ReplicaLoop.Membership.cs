using Google.Protobuf;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <content>Changes of membership are judged where it is known who is alive and how far each learner is: at the leader.</content>
public sealed partial class ReplicaLoop
{
    /// <summary>On the leader; elsewhere NotLeader.</summary>
    internal async Task<Reply> ChangeHereAsync(ConfigChangeKind kind, MemberChange change, CancellationToken cancellationToken)
    {
        var answer = NewAnswer<Reply>();
        var posted = inbox.Post(replica =>
        {
            // A question repeated by its asker waits for the outcome of the first.
            if (!answers.TryAdd(change.RequestId, answer)) answer.TrySetResult(new(change.RequestId, StoreError.TooManyRequests, null));
            else replica.ChangeMembership(kind, change);
        });
        return posted ? await answer.Task.WaitAsync(cancellationToken) : new(change.RequestId, StoreError.Stopped, null);
    }

    /// <summary>The leader's answer, given here only once the change is applied here too: the caller reads the members from <see cref="View"/>.</summary>
    async Task<Reply> ChangeAtLeaderAsync(ConfigChangeKind kind, MemberChange change, CancellationToken cancellationToken)
    {
        var encoded = change.ToByteArray();
        var answer = await AskLeaderAsync(
            question =>
            {
                question.WriteByte((byte)PeerQuestion.ChangeMembership);
                question.WriteByte((byte)kind);
                question.WriteBytes(encoded);
            },
            cancellationToken);
        if (answer is not { } reader) return new(change.RequestId, Status.Leader.IsNone ? StoreError.NoLeader : StoreError.Timeout, null);
        var error = reader.Name<StoreError>();
        if (error == StoreError.None) error = await ReadIndexAsync(cancellationToken);
        return new(change.RequestId, error, null);
    }
}
