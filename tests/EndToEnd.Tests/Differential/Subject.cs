using Grpc.Core;
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

    readonly Calls calls = new(member);
    readonly WatchStream?[] streams = new WatchStream?[Streams];

    public async Task<Answer> TakeAsync(Step step)
    {
        Answer answer;
        try
        {
            answer = step switch
            {
                Step.Unary { Json: true } unary => await calls.CallAsJsonAsync(unary.Request, unary.As),
                Step.Unary unary => new Answer(null, Canon.Blank(await calls.CallAsync(unary.Request, unary.As))),
                Step.KeepAlive keepAlive => new Answer(null, Canon.Blank(await KeepAliveAsync(keepAlive))),
                Step.Acquire acquire => await Concurrency.AcquireAsync(calls, acquire),
                Step.Observe observe => await Concurrency.ObserveAsync(calls, observe),
                Step.Snapshot snapshot => await SnapshotContent.TakeAsync(calls, snapshot),
                Step.WatchCreate create => await CreateAsync(create),
                Step.WatchCancel cancel => new Answer(await StreamOf(cancel.Stream, cancel.As).CancelAsync(cancel.WatchId, cancel.Known) ? "canceled" : "no answer"),
                Step.WatchProgress => new Answer("settled"),
                Step.WatchReset => await CloseStreamsAsync(),
                _ => throw new InvalidOperationException($"{step}: unknown step."),
            };
        }
        catch (RpcException e)
        {
            answer = new Answer(Canon.Error(step, e));
        }
        return tamper is null ? answer : answer with { Said = tamper(step, answer.Text) };
    }

    public bool HasStream(int stream) => streams[stream] is not null;

    public Task<bool> SettleAsync(int stream, long revision) => streams[stream]!.SettleAsync(revision);

    public string Transcript(int stream) => streams[stream]?.Transcript() ?? "";

    public async ValueTask DisposeAsync()
    {
        await CloseStreamsAsync();
        calls.Dispose();
    }

    async Task<Answer> CloseStreamsAsync()
    {
        for (var n = 0; n < streams.Length; n++)
        {
            if (streams[n] is { } stream)
                await stream.DisposeAsync();
            streams[n] = null;
        }
        return new Answer("closed");
    }

    /// <summary>A stream is its opener's for good.</summary>
    WatchStream StreamOf(int stream, string? user) => streams[stream] ??= new WatchStream(new Watch.WatchClient(calls.Channel), calls.Login(user));

    async Task<Answer> CreateAsync(Step.WatchCreate create)
    {
        var response = await StreamOf(create.Stream, create.As).CreateAsync(create.Request);
        return response is null ? new Answer("no answer") : new Answer($"watch {response.WatchId}", response);
    }

    async Task<LeaseKeepAliveResponse> KeepAliveAsync(Step.KeepAlive step)
    {
        using var call = new Lease.LeaseClient(calls.Channel).LeaseKeepAlive(calls.Options(step.As));
        await call.RequestStream.WriteAsync(new LeaseKeepAliveRequest { ID = step.Lease });
        await call.ResponseStream.MoveNext(CancellationToken.None);
        return call.ResponseStream.Current;
    }
}
