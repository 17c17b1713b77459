using System.Buffers;
using System.IO.Pipelines;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>Answers what other members ask this one. Each question is worked on by itself: a slow one keeps no other waiting.</summary>
sealed class PeerQuestions(ReplicaLoop loop)
{
    public async Task ServeAsync(PipeReader input, PipeWriter output, CancellationToken cancellationToken)
    {
        using var writing = new SemaphoreSlim(1, 1);
        await PeerFrames.ReadAsync(
            input,
            (type, payload) =>
            {
                if (type != FrameType.Request) throw new InvalidDataException($"unexpected frame {type}");
                _ = AnswerAsync(payload, output, writing, cancellationToken);
                return true;
            },
            paused: null,
            cancellationToken);
    }

    async Task AnswerAsync(ReadOnlyMemory<byte> payload, PipeWriter output, SemaphoreSlim writing, CancellationToken cancellationToken)
    {
        try
        {
            var frame = await AnswerAsync(new(payload), cancellationToken);
            await writing.WaitAsync(cancellationToken);
            try
            {
                output.Write(frame.Written);
                await output.FlushAsync(cancellationToken);
            }
            finally
            {
                writing.Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidDataException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection is gone: the asker finds that out by itself.
        }
    }

    async Task<FrameBuffer> AnswerAsync(PayloadReader question, CancellationToken cancellationToken)
    {
        var answer = new FrameBuffer();
        answer.BeginFrame(FrameType.Response);
        answer.WriteLong(question.Long());
        switch ((PeerQuestion)question.Byte())
        {
            case PeerQuestion.RenewLease:
                var renewal = await loop.RenewHereAsync(new((long)question.Long()));
                answer.WriteText(renewal.Error.ToString());
                answer.WriteLong((ulong)renewal.TtlSeconds);
                break;
            case PeerQuestion.LeaseTimeToLive:
                Write(answer, await loop.TimeToLiveHereAsync(new((long)question.Long())));
                break;
            case PeerQuestion.ChangeMembership:
                var kind = (ConfigChangeKind)question.Byte();
                var change = MemberChange.Parser.ParseFrom(question.Bytes().Span);
                var reply = await loop.ChangeHereAsync(kind, change, cancellationToken);
                answer.WriteText(reply.Error.ToString());
                break;
            case PeerQuestion.HashKv:
                var hash = await loop.HashKvAsync(new((long)question.Long()), cancellationToken);
                answer.WriteText(hash.Error.ToString());
                answer.WriteLong(hash.Hash);
                answer.WriteLong((ulong)hash.Compacted.Value);
                break;
            case PeerQuestion.CompareContent:
                await loop.CompareContentAsync(cancellationToken);
                break;
            default:
                throw new InvalidDataException("unknown question");
        }
        answer.EndFrame();
        return answer;
    }

    static void Write(FrameBuffer answer, LeaseRemaining remaining)
    {
        answer.WriteText(remaining.Error.ToString());
        answer.WriteLong((ulong)remaining.GrantedSeconds);
        answer.WriteLong((ulong)remaining.RemainingSeconds);
        answer.WriteInt(remaining.Keys.Count);
        foreach (var key in remaining.Keys) answer.WriteBytes(key.Span);
    }
}
