using System.Diagnostics;
using Store.Raft;

namespace Store.Server;

/// <summary>
/// Raft messages to frames and back, by hand: they are most of what members do. Sender and receiver are the connection's; an entry carries neither its
/// index (they follow each other) nor padding. Decoded entries share the frame's memory: nothing is copied again.
/// </summary>
static class MessageCodec
{
    public static void Write(FrameBuffer frames, Message message)
    {
        switch (message)
        {
            case Message.AppendEntries m: WriteAppend(frames, m); return;
            case Message.AppendAccepted m: Begin(frames, FrameType.AppendAccepted, m); frames.WriteLong(m.Match.Value); break;
            case Message.AppendRejected m:
                Begin(frames, FrameType.AppendRejected, m);
                frames.WriteLong(m.Rejected.Value);
                frames.WriteLong(m.HintIndex.Value);
                frames.WriteLong(m.HintTerm.Value);
                break;
            case Message.Heartbeat m: Begin(frames, FrameType.Heartbeat, m); frames.WriteLong(m.Commit.Value); frames.WriteLong(m.ReadContext); break;
            case Message.HeartbeatReply m: Begin(frames, FrameType.HeartbeatReply, m); frames.WriteLong(m.ReadContext); break;
            case Message.PreVote m: Begin(frames, FrameType.PreVote, m); frames.WriteLong(m.LastIndex.Value); frames.WriteLong(m.LastTerm.Value); break;
            case Message.PreVoteReply m: Begin(frames, FrameType.PreVoteReply, m); frames.WriteBool(m.Granted); break;
            case Message.RequestVote m:
                Begin(frames, FrameType.RequestVote, m);
                frames.WriteLong(m.LastIndex.Value);
                frames.WriteLong(m.LastTerm.Value);
                frames.WriteBool(m.Transfer);
                break;
            case Message.VoteReply m: Begin(frames, FrameType.VoteReply, m); frames.WriteBool(m.Granted); break;
            case Message.TimeoutNow m: Begin(frames, FrameType.TimeoutNow, m); break;
            case Message.Propose m: WritePropose(frames, m); break;
            case Message.ReadIndexRequest m: Begin(frames, FrameType.ReadIndexRequest, m); frames.WriteLong(m.Context); break;
            case Message.ReadIndexReply m: Begin(frames, FrameType.ReadIndexReply, m); frames.WriteLong(m.Context); frames.WriteLong(m.Index.Value); break;
            case Message.TransferLeader m: Begin(frames, FrameType.TransferLeader, m); frames.WriteLong(m.Target.Value); break;
            case Message.HashQuestion m: Begin(frames, FrameType.HashQuestion, m); frames.WriteLong(m.Index.Value); break;
            case Message.HashAnswer m: Begin(frames, FrameType.HashAnswer, m); frames.WriteLong(m.Index.Value); frames.WriteLong(m.Hash); break;
            case Message.StateRequest m: Begin(frames, FrameType.StateRequest, m); frames.WriteLong(m.Applied.Value); break;
            // InstallSnapshot is made by the receiving member once the files have arrived; it is never on the wire.
            default: throw new UnreachableException();
        }
        frames.EndFrame();
    }

    /// <summary>Null for a frame that carries no Raft message. The memory stays with the message.</summary>
    public static Message? Read(FrameType type, ReadOnlyMemory<byte> payload, NodeId from, NodeId to)
    {
        if (type is < FrameType.PreVote or > FrameType.StateRequest) return null;
        var reader = new PayloadReader(payload);
        var term = new Term(reader.Long());
        return type switch
        {
            FrameType.AppendEntries => ReadAppend(ref reader, from, to, term),
            FrameType.AppendAccepted => new Message.AppendAccepted(from, to, term, new(reader.Long())),
            FrameType.AppendRejected => new Message.AppendRejected(from, to, term, new(reader.Long()), new(reader.Long()), new(reader.Long())),
            FrameType.Heartbeat => new Message.Heartbeat(from, to, term, new(reader.Long()), reader.Long()),
            FrameType.HeartbeatReply => new Message.HeartbeatReply(from, to, term, reader.Long()),
            FrameType.PreVote => new Message.PreVote(from, to, term, new(reader.Long()), new(reader.Long())),
            FrameType.PreVoteReply => new Message.PreVoteReply(from, to, term, reader.Bool()),
            FrameType.RequestVote => new Message.RequestVote(from, to, term, new(reader.Long()), new(reader.Long()), reader.Bool()),
            FrameType.VoteReply => new Message.VoteReply(from, to, term, reader.Bool()),
            FrameType.TimeoutNow => new Message.TimeoutNow(from, to, term),
            FrameType.Propose => ReadPropose(ref reader, from, to, term),
            FrameType.ReadIndexRequest => new Message.ReadIndexRequest(from, to, term, reader.Long()),
            FrameType.ReadIndexReply => new Message.ReadIndexReply(from, to, term, reader.Long(), new(reader.Long())),
            FrameType.TransferLeader => new Message.TransferLeader(from, to, term, new(reader.Long())),
            FrameType.HashQuestion => new Message.HashQuestion(from, to, term, new(reader.Long())),
            FrameType.HashAnswer => new Message.HashAnswer(from, to, term, new(reader.Long()), reader.Long()),
            FrameType.StateRequest => new Message.StateRequest(from, to, term, new(reader.Long())),
            _ => throw new InvalidDataException($"frame of unknown type {(byte)type}"),
        };
    }

    static void Begin(FrameBuffer frames, FrameType type, Message message)
    {
        frames.BeginFrame(type);
        frames.WriteLong(message.Term.Value);
    }

    static void WriteAppend(FrameBuffer frames, Message.AppendEntries message)
    {
        Begin(frames, FrameType.AppendEntries, message);
        frames.WriteLong(message.PreviousIndex.Value);
        frames.WriteLong(message.PreviousTerm.Value);
        frames.WriteLong(message.Commit.Value);
        frames.WriteInt(message.Entries.Count);
        for (var i = 0; i < message.Entries.Count; i++)
        {
            var entry = message.Entries[i];
            frames.WriteLong(entry.Term.Value);
            frames.WriteByte((byte)entry.Kind);
            frames.WriteBytes(entry.Data.Span);
        }
        frames.EndFrame();
    }

    static Message.AppendEntries ReadAppend(ref PayloadReader reader, NodeId from, NodeId to, Term term)
    {
        var previous = new LogIndex(reader.Long());
        var previousTerm = new Term(reader.Long());
        var commit = new LogIndex(reader.Long());
        var count = reader.Count(13);
        var entries = count == 0 ? [] : new Entry[count];
        for (var i = 0; i < count; i++)
        {
            var entryTerm = new Term(reader.Long());
            entries[i] = new(entryTerm, previous + (ulong)i + 1, (EntryKind)reader.Byte(), reader.Bytes());
        }
        return new(from, to, term, previous, previousTerm, commit, entries);
    }

    static void WritePropose(FrameBuffer frames, Message.Propose message)
    {
        Begin(frames, FrameType.Propose, message);
        frames.WriteInt(message.Entries.Count);
        for (var i = 0; i < message.Entries.Count; i++)
        {
            frames.WriteByte((byte)message.Entries[i].Kind);
            frames.WriteBytes(message.Entries[i].Data.Span);
        }
    }

    static Message.Propose ReadPropose(ref PayloadReader reader, NodeId from, NodeId to, Term term)
    {
        var entries = new ProposedEntry[reader.Count(5)];
        for (var i = 0; i < entries.Length; i++) entries[i] = new((EntryKind)reader.Byte(), reader.Bytes());
        return new(from, to, term, entries);
    }
}
