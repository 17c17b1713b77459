using Google.Protobuf;
using Grpc.Core;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Protocol.V3electionpb;
using Store.Protocol.V3lockpb;

namespace EndToEnd.Tests;

/// <summary>Steps of locks and elections that take several requests, so that nothing in them waits longer than the other requests of the same step decide.</summary>
static class Concurrency
{
    /// <summary>Who looks at lines and pushes others out of them.</summary>
    public const string Overseer = "root";

    public static async Task<Answer> AcquireAsync(Calls calls, Step.Acquire step)
    {
        var (name, lease) = step.Request switch
        {
            LockRequest request => (request.Name, request.Lease),
            CampaignRequest request => (request.Name, request.Lease),
            _ => throw new InvalidOperationException($"{step}: this does not stand in line."),
        };
        var call = calls.CallAsync(step.Request, step.As);
        var pushed = new List<string>();
        while (!call.IsCompleted)
        {
            var line = await LineAsync(calls, name);
            var place = line.FindIndex(key => key.Key.ToStringUtf8() == $"{name.ToStringUtf8()}/{lease:x}");
            if (place == 0)
                break;
            if (place < 0)
            {
                // It is on its way, or about to be refused.
                await Task.WhenAny(call, Task.Delay(1));
                continue;
            }
            pushed.Add(Canon.Text(line[0]));
            await calls.CallAsync(new DeleteRangeRequest { Key = line[0].Key }, Overseer);
        }
        try
        {
            var response = Canon.Blank(await call);
            return new Answer($"{string.Concat(pushed.Select(key => $"pushed out {key}\n"))}{Canon.Text(response)}", response);
        }
        catch (RpcException e)
        {
            return new Answer($"{string.Concat(pushed.Select(key => $"pushed out {key}\n"))}{e.StatusCode}: {e.Status.Detail}");
        }
    }

    public static async Task<Answer> ObserveAsync(Calls calls, Step.Observe step)
    {
        var leader = (await LineAsync(calls, step.Name)).FirstOrDefault();
        if (leader is null)
            return new Answer("nobody leads");
        using var observation = new Election.ElectionClient(calls.Channel).Observe(new LeaderRequest { Name = step.Name }, calls.Options(step.As));
        var first = await NextAsync(observation.ResponseStream);
        var proclaimed = Canon.Blank(await calls.CallAsync(new ProclaimRequest { Leader = step.Leader, Value = step.Value }, step.As));
        var second = step.Leader.Key == leader.Key ? await NextAsync(observation.ResponseStream) : "";
        return new Answer($"{first}\n{Canon.Text(proclaimed)}\n{second}", proclaimed);
    }

    /// <summary>The keys of those who wait, in the order in which they came.</summary>
    static async Task<List<KeyValue>> LineAsync(Calls calls, ByteString name)
    {
        var range = new RangeRequest { Key = ByteString.CopyFrom([.. name.Span, (byte)'/']), RangeEnd = ByteString.CopyFrom([.. name.Span, (byte)('/' + 1)]) };
        var response = (RangeResponse)await calls.CallAsync(range, Overseer);
        return [.. response.Kvs.OrderBy(key => key.CreateRevision)];
    }

    static async Task<string> NextAsync(IAsyncStreamReader<LeaderResponse> observation) =>
        await observation.MoveNext(CancellationToken.None) ? Canon.Text(Canon.Blank(observation.Current)) : "the stream ended";
}
