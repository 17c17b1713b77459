using System.IO.Pipelines;
using Store.Raft;
using Xunit;

namespace Store.Server.Tests;

public sealed class MessageCodecTests
{
    static readonly NodeId From = new(1), To = new(2);
    static readonly Term Term = new(7);

    public static TheoryData<Message> Messages =>
    [
        new Message.PreVote(From, To, Term, new(5), new(6)),
        new Message.PreVoteReply(From, To, Term, true),
        new Message.RequestVote(From, To, Term, new(5), new(6), true),
        new Message.VoteReply(From, To, Term, false),
        new Message.AppendAccepted(From, To, Term, new(9)),
        new Message.AppendRejected(From, To, Term, new(9), new(8), new(3)),
        new Message.Heartbeat(From, To, Term, new(4), ulong.MaxValue),
        new Message.HeartbeatReply(From, To, Term, 12),
        new Message.TimeoutNow(From, To, Term),
        new Message.ReadIndexRequest(From, To, Term, 11),
        new Message.ReadIndexReply(From, To, Term, 11, new(10)),
        new Message.TransferLeader(From, To, Term, new(3)),
        new Message.HashQuestion(From, To, Term, new(10)),
        new Message.HashAnswer(From, To, Term, new(10), ulong.MaxValue - 1),
        new Message.StateRequest(From, To, Term, new(10)),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task A_message_comes_out_as_it_went_in(Message message)
    {
        var frames = new FrameBuffer();
        MessageCodec.Write(frames, message);
        Assert.Equal(message, Assert.Single(await Decode(frames.Written.ToArray())));
    }

    [Fact]
    public async Task Entries_keep_their_terms_kinds_and_indexes()
    {
        Entry[] entries = [new(new(3), new(6), EntryKind.Normal, new byte[] { 1, 2 }), new(new(7), new(7), EntryKind.ConfigChange, default)];
        var frames = new FrameBuffer();
        MessageCodec.Write(frames, new Message.AppendEntries(From, To, Term, new(5), new(3), new(4), entries));
        MessageCodec.Write(frames, new Message.Propose(From, To, default, [new(EntryKind.Normal, new byte[] { 9 })]));
        var decoded = await Decode(frames.Written.ToArray());
        var append = Assert.IsType<Message.AppendEntries>(decoded[0]);
        Assert.Equal((new LogIndex(5), new Term(3), new LogIndex(4)), (append.PreviousIndex, append.PreviousTerm, append.Commit));
        Assert.Equal(entries.Select(e => (e.Term, e.Index, e.Kind)), append.Entries.Select(e => (e.Term, e.Index, e.Kind)));
        Assert.Equal([1, 2], append.Entries[0].Data.ToArray());
        Assert.Equal([9], Assert.IsType<Message.Propose>(decoded[1]).Entries[0].Data.ToArray());
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_is_noticed()
    {
        var frames = new FrameBuffer();
        MessageCodec.Write(frames, new Message.Heartbeat(From, To, Term, new(4), 5));
        for (var at = 4; at < frames.Count; at++)
        {
            var damaged = frames.Written.ToArray();
            damaged[at] ^= 1;
            await Assert.ThrowsAsync<InvalidDataException>(() => Decode(damaged));
        }
    }

    static async Task<List<Message>> Decode(byte[] bytes)
    {
        var messages = new List<Message>();
        await PeerFrames.ReadAsync(
            PipeReader.Create(new(bytes)),
            (type, payload) =>
            {
                messages.Add(MessageCodec.Read(type, payload, From, To)!);
                return true;
            },
            null,
            TestContext.Current.CancellationToken);
        return messages;
    }
}
