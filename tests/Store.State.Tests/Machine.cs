using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State.Tests;

/// <summary>A state machine on a managed engine, fed one command at a time.</summary>
sealed class Machine
{
    readonly StateOptions options;

    public Machine(StateOptions? options = null, MemoryEngine? engine = null)
    {
        this.options = options ?? new();
        Engine = engine ?? new();
        State = StateMachine.Open(Engine, this.options);
    }

    public MemoryEngine Engine { get; }

    public StateMachine State { get; private set; }

    public StateView View => State.View;

    public static Entry Entry(ulong index, Command command) => new(new(1), new(index), EntryKind.Normal, command.ToByteArray());

    public static Entry Entry(ulong index, ConfigChangeKind kind, ulong node, params string[] peerUrls)
    {
        var member = new Member { ID = node };
        member.PeerURLs.AddRange(peerUrls);
        var context = new MemberChange { RequestId = 70, Member = member }.ToByteArray();
        return new(new(1), new(index), EntryKind.ConfigChange, new ConfigChange(kind, new(node), context).Encode());
    }

    public ApplyResult Run(Command command) => State.Apply([Entry(State.Applied.Value + 1, command)])[0];

    public ApplyResult Change(ConfigChangeKind kind, ulong node, params string[] peerUrls) =>
        State.Apply([Entry(State.Applied.Value + 1, kind, node, peerUrls)])[0];

    public ApplyResult Put(string key, string value = "v", long lease = 0) =>
        Run(new() { Put = new() { Key = Text(key), Value = Text(value), Lease = lease } });

    public ApplyResult Delete(string key, string end = "") => Run(new() { DeleteRange = new() { Key = Text(key), RangeEnd = Text(end) } });

    public ApplyResult Compact(long revision) => Run(new() { Compaction = new() { Revision = revision } });

    public ApplyResult Grant(long id, long ttl = 60) => Run(new() { LeaseGrant = new() { ID = id, TTL = ttl } });

    public ApplyResult Revoke(long id) => Run(new() { LeaseRevoke = new() { ID = id } });

    public void CompactAll(int rowsMax = 3)
    {
        while (State.CompactSome(rowsMax))
        {
        }
    }

    public void Reopen() => State = StateMachine.Open(Engine, options);

    public RangeResult Range(string key, string end = "", long revision = 0, long limit = 0) =>
        View.Range(new() { Key = Text(key), RangeEnd = Text(end), Revision = revision, Limit = limit });

    /// <summary>Everything at the revision as "key=value" words.</summary>
    public string Dump(long revision = 0)
    {
        var result = Range("\0", "\0", revision);
        return result.Error != StoreError.None
            ? result.Error.ToString()
            : string.Join(' ', Decoded(result).Select(kv => $"{kv.Key.ToStringUtf8()}={kv.Value.ToStringUtf8()}"));
    }

    /// <summary>The events of [from, to] as "revision:key=value" or "revision:key!" for deletions, or what is wrong.</summary>
    public string Events(long from, long to = long.MaxValue)
    {
        if (View.Events.Read(new(from), new(to)) is not { } revisions) return "Compacted";
        return string.Join(' ', revisions.SelectMany(revision => revision.Events, (revision, change) => Word(revision, change)));
    }

    public static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    public static List<KeyValue> Decoded(RangeResult result) => [.. result.KeyValues.Select(encoded => KeyValue.Parser.ParseFrom(encoded.Span))];

    static string Word(RevisionEvents revision, StoredEvent change)
    {
        var kv = KeyValue.Parser.ParseFrom(change.KeyValue.Span);
        return $"{revision.Revision}:{kv.Key.ToStringUtf8()}{(change.IsDelete ? "!" : "=" + kv.Value.ToStringUtf8())}";
    }
}
