using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Xunit;

namespace Store.State.Tests;

/// <summary>Three replicas on memory engines with a network and disks that work at once, moved by hand: <see cref="Settle"/>, <see cref="Tick"/>.</summary>
sealed class ReplicaTrio
{
    readonly Dictionary<NodeId, Replica> replicas = [];
    readonly HashSet<NodeId> cut = [];
    readonly List<Reply> replies = [];
    readonly List<ReadReply> reads = [];

    public ReplicaTrio(int count = 3, long quotaBytes = 2L << 30)
    {
        Ids = [.. Enumerable.Range(1, count).Select(i => new NodeId((ulong)i))];
        var entries = Ids.Select((id, i) => new Entry(new(1), new((ulong)i + 1), EntryKind.ConfigChange, First(id))).ToList();
        foreach (var id in Ids)
        {
            var start = new RaftStart(
                new(new(1), NodeId.None, new((ulong)count)), new(LogIndex.Zero, Term.Zero, MembershipConfig.Empty), entries, LogIndex.Zero);
            replicas[id] = new(Options(id), start, StateMachine.Open(new MemoryEngine(), new() { QuotaBytes = quotaBytes }), new Random((int)id.Value));
        }
        for (var i = 0; i < 100 && Ids.All(id => !replicas[id].IsLeader); i++) Tick();
        Tick(2);
    }

    public IReadOnlyList<NodeId> Ids { get; }

    public Replica Leader => replicas.Values.Single(replica => replica.IsLeader && !cut.Contains(replica.Status.Id));

    public Replica Follower => replicas.Values.First(replica => !replica.IsLeader && !cut.Contains(replica.Status.Id));

    public Replica this[NodeId id] => replicas[id];

    /// <summary>Whether the effects ever said that the member was removed.</summary>
    public HashSet<NodeId> Removed { get; } = [];

    public static ReplicaOptions Options(NodeId id) => new()
    {
        Raft = new() { Id = id },
        TickMilliseconds = 100,
        State = new(),
        PendingProposalsMax = 100,
    };

    /// <summary>Nothing reaches the member and nothing leaves it.</summary>
    public void Cut(Replica replica) => cut.Add(replica.Status.Id);

    public void Heal() => cut.Clear();

    public void Tick(int count = 1)
    {
        for (var i = 0; i < count; i++)
        {
            foreach (var id in Ids) replicas[id].Tick();
            Settle();
        }
    }

    /// <summary>Carries everything that the members want done, until they want nothing more.</summary>
    public void Settle()
    {
        while (Ids.FirstOrDefault(id => replicas[id].HasEffects) is { IsNone: false } id) Carry(replicas[id], replicas[id].TakeEffects());
    }

    public Reply ReplyTo(ulong requestId) => Assert.Single(replies, reply => reply.RequestId == requestId);

    public bool IsAnswered(ulong requestId) => replies.Exists(reply => reply.RequestId == requestId);

    public StoreError? ReadAnswer(ulong readId) => reads.Exists(read => read.ReadId == readId) ? reads.Single(read => read.ReadId == readId).Error : null;

    public static Command Put(ulong requestId, string key) =>
        new() { RequestId = requestId, Put = new() { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8("v") } };

    public static MemberChange Change(ulong requestId, ulong id, params string[] peerUrls) =>
        new() { RequestId = requestId, Member = new() { ID = id, PeerURLs = { peerUrls } } };

    void Carry(Replica replica, Effects effects)
    {
        var id = replica.Status.Id;
        if (effects.Persist is { } request) replica.Persisted(request.Sequence);
        foreach (var message in effects.Send)
        {
            if (!cut.Contains(id) && !cut.Contains(message.To) && replicas.TryGetValue(message.To, out var to)) to.Receive(message);
        }
        replies.AddRange(effects.Replies);
        reads.AddRange(effects.Reads);
        if (effects.Removed) Removed.Add(id);
    }

    static byte[] First(NodeId id)
    {
        var member = new Member { ID = id.Value, Name = $"m{id}", PeerURLs = { $"http://m{id}:2380" } };
        return new ConfigChange(ConfigChangeKind.AddVoter, id, new MemberChange { Member = member }.ToByteArray()).Encode();
    }
}
