using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>A cluster under comparison: takes steps, gives answers.</summary>
/// <param name="tamper">Changes answers, to prove that a change is found.</param>
sealed class Subject(MemberProcess member, Func<Step, string, string>? tamper = null) : IAsyncDisposable
{
    /// <summary>Streams that hold watches from the past and present; the next one holds those that start in the future, where etcd gives no progress.</summary>
    public const int FutureStream = 2;
    public const int Streams = 3;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly GrpcChannel channel = member.NewChannel();
    readonly WatchStream?[] streams = new WatchStream?[Streams];

    public async Task<Answer> TakeAsync(Step step)
    {
        Answer answer;
        try
        {
            answer = step switch
            {
                Step.Unary unary => Ok(await CallAsync(unary.Request)),
                Step.KeepAlive keepAlive => Ok(await KeepAliveAsync(keepAlive.Lease)),
                Step.WatchCreate create => await CreateAsync(create),
                Step.WatchCancel cancel => new Answer(await Stream(cancel.Stream).CancelAsync(cancel.WatchId, cancel.Known) ? "canceled" : "no answer"),
                Step.WatchProgress => new Answer("settled"),
                _ => throw new InvalidOperationException($"{step}: unknown step."),
            };
        }
        catch (RpcException e)
        {
            answer = new Answer($"{e.StatusCode}: {e.Status.Detail}");
        }
        return tamper is null ? answer : answer with { Text = tamper(step, answer.Text) };
    }

    public bool HasStream(int stream) => streams[stream] is not null;

    public Task<bool> SettleAsync(int stream, long revision) => Stream(stream).SettleAsync(revision);

    public string Transcript(int stream) => streams[stream]?.Transcript() ?? "";

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in streams)
        {
            if (stream is not null)
                await stream.DisposeAsync();
        }
        channel.Dispose();
    }

    static Answer Ok(IMessage response) => new(Canon.Normalized(response), response);

    WatchStream Stream(int stream) => streams[stream] ??= new WatchStream(new Watch.WatchClient(channel));

    async Task<Answer> CreateAsync(Step.WatchCreate create)
    {
        var response = await Stream(create.Stream).CreateAsync(create.Request);
        return response is null ? new Answer("no answer") : new Answer($"watch {response.WatchId}", response);
    }

    async Task<LeaseKeepAliveResponse> KeepAliveAsync(long lease)
    {
        using var call = new Lease.LeaseClient(channel).LeaseKeepAlive(Options());
        await call.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = lease });
        await call.ResponseStream.MoveNext(CancellationToken.None);
        return call.ResponseStream.Current;
    }

    async Task<IMessage> CallAsync(IMessage request)
    {
        var kv = new KV.KVClient(channel);
        var lease = new Lease.LeaseClient(channel);
        return request switch
        {
            RangeRequest range => await kv.RangeAsync(range, Options()),
            PutRequest put => await kv.PutAsync(put, Options()),
            DeleteRangeRequest delete => await kv.DeleteRangeAsync(delete, Options()),
            TxnRequest txn => await kv.TxnAsync(txn, Options()),
            CompactionRequest compact => await kv.CompactAsync(compact, Options()),
            LeaseGrantRequest grant => await lease.LeaseGrantAsync(grant, Options()),
            LeaseRevokeRequest revoke => await lease.LeaseRevokeAsync(revoke, Options()),
            LeaseTimeToLiveRequest timeToLive => await lease.LeaseTimeToLiveAsync(timeToLive, Options()),
            LeaseLeasesRequest leases => await lease.LeaseLeasesAsync(leases, Options()),
            MemberListRequest list => await new Cluster.ClusterClient(channel).MemberListAsync(list, Options()),
            _ => throw new InvalidOperationException($"{request.Descriptor.Name}: no such request here."),
        };
    }

    static CallOptions Options() => new(deadline: DateTime.UtcNow + Patience);
}
