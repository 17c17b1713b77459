using Google.Protobuf;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>What a client knows from the answers so far; the generator aims its next request with it.</summary>
sealed class Knowledge
{
    readonly SortedSet<long>[] watches = [.. Enumerable.Range(0, Subject.Streams).Select(_ => new SortedSet<long>())];

    public long Revision { get; private set; } = 1;
    public long Compacted { get; private set; }
    public SortedSet<long> Leases { get; } = [];

    public SortedSet<long> LiveWatches(int stream) => watches[stream];

    public void Learn(Step step, Answer answer)
    {
        if (answer.Response is { } response)
            LearnHeader(response);
        switch (step, answer.Response)
        {
            case (Step.Unary { Request: CompactionRequest compaction }, not null):
                Compacted = compaction.Revision;
                break;
            case (Step.Unary { Request: LeaseGrantRequest }, LeaseGrantResponse granted):
                Leases.Add(granted.ID);
                break;
            case (Step.Unary { Request: LeaseRevokeRequest revoke }, not null):
                Leases.Remove(revoke.ID);
                break;
            case (Step.WatchCreate create, WatchResponse { Canceled: false } created):
                // A start behind compaction is cancelled right after its creation.
                if (create.Request.StartRevision == 0 || create.Request.StartRevision >= Compacted)
                    watches[create.Stream].Add(created.WatchId);
                break;
            case (Step.WatchCancel cancel, _):
                watches[cancel.Stream].Remove(cancel.WatchId);
                break;
        }
    }

    void LearnHeader(IMessage response)
    {
        if (response.Descriptor.FindFieldByName("header")?.Accessor.GetValue(response) is ResponseHeader header)
            Revision = Math.Max(Revision, header.Revision);
    }
}
