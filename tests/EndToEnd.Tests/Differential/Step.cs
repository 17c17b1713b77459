using Google.Protobuf;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>One concrete request of a sequence: what it says does not depend on any answer any more, so a sequence can be replayed and cut down.</summary>
abstract record Step
{
    Step()
    {
    }

    public sealed record Unary(IMessage Request) : Step
    {
        public override string ToString() => $"{Request.Descriptor.Name} {Canon.Text(Request)}";
    }

    /// <summary>One request and one answer on a fresh keep-alive stream.</summary>
    public sealed record KeepAlive(long Lease) : Step;

    public sealed record WatchCreate(int Stream, WatchCreateRequest Request) : Step
    {
        public override string ToString() => $"WatchCreate on stream {Stream} {Canon.Text(Request)}";
    }

    /// <param name="Known">The id belongs to a watch that lives, so an answer is due.</param>
    public sealed record WatchCancel(int Stream, long WatchId, bool Known) : Step;

    /// <summary>Asks until it is answered: etcd drops a progress request while a watcher is behind.</summary>
    public sealed record WatchProgress(int Stream) : Step;
}

/// <param name="Text">What is compared.</param>
/// <param name="Response">What the generator learns from; null for an error.</param>
sealed record Answer(string Text, IMessage? Response = null);
