using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;

namespace EndToEnd.Tests;

/// <summary>One concrete request of a sequence: what it says does not depend on any answer any more, so a sequence can be replayed and cut down.</summary>
abstract record Step
{
    /// <summary>A user that there is never: goes with a token that nobody was given.</summary>
    public const string Stranger = "stranger";

    Step()
    {
    }

    /// <summary>The user whose last login goes with the request; without one, or with null, nothing does.</summary>
    public string? As { get; init; }

    public sealed override string ToString() => $"{Described}{(As is null ? "" : $" as {As}")}";

    protected abstract string Described { get; }

    /// <param name="Json">Through the gateway.</param>
    public sealed record Unary(IMessage Request, bool Json = false) : Step
    {
        protected override string Described => $"{Request.Descriptor.Name} {Canon.Text(Request)}{(Json ? " as JSON" : "")}";
    }

    /// <summary>One request and one answer on a fresh keep-alive stream.</summary>
    public sealed record KeepAlive(long Lease) : Step
    {
        protected override string Described => $"KeepAlive {Lease}";
    }

    /// <summary>Gets into the line of a lock or an election; whoever stands before is pushed out, one after the other, so that the wait ends.</summary>
    /// <param name="Request">LockRequest or CampaignRequest.</param>
    public sealed record Acquire(IMessage Request) : Step
    {
        protected override string Described => $"{Request.Descriptor.Name} {Canon.Text(Request)}";
    }

    /// <summary>If somebody leads: hears of it, then of what the leader proclaims.</summary>
    public sealed record Observe(ByteString Name, LeaderKey Leader, ByteString Value) : Step
    {
        protected override string Described => $"Observe {Name.ToStringUtf8()}, meanwhile {Canon.Text(Leader)} proclaims {Value.ToStringUtf8()}";
    }

    /// <summary>Compacts at this revision, waits until that is done, and takes a snapshot: what is in it and how it is built.</summary>
    public sealed record Snapshot(long Revision) : Step
    {
        protected override string Described => $"Snapshot at {Revision}";
    }

    public sealed record WatchCreate(int Stream, WatchCreateRequest Request) : Step
    {
        protected override string Described => $"WatchCreate on stream {Stream} {Canon.Text(Request)}";
    }

    /// <param name="Known">The id belongs to a watch that lives, so an answer is due.</param>
    public sealed record WatchCancel(int Stream, long WatchId, bool Known) : Step
    {
        protected override string Described => $"WatchCancel of {WatchId} on stream {Stream}{(Known ? "" : " (unknown)")}";
    }

    /// <summary>Every watch stream is closed; the next watch opens one anew.</summary>
    public sealed record WatchReset : Step
    {
        protected override string Described => "WatchReset";
    }

    /// <summary>Asks until it is answered: etcd drops a progress request while a watcher is behind.</summary>
    public sealed record WatchProgress(int Stream) : Step
    {
        protected override string Described => $"WatchProgress on stream {Stream}";
    }
}

/// <param name="Said">What is compared; null: the response itself.</param>
/// <param name="Response">What the generator learns from; null for an error.</param>
sealed record Answer(string? Said, IMessage? Response = null)
{
    public string Text => Said ?? Canon.Text(Response!);

    /// <summary>Text is made only when there is a difference to show: most answers are equal, and some are long.</summary>
    public bool SameAs(Answer other) => Said is null && other.Said is null ? Response!.Equals(other.Response) : string.Equals(Text, other.Text, StringComparison.Ordinal);
}
