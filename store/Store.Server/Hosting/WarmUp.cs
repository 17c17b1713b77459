using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;

namespace Store.Server;

/// <summary>
/// Drives the request path before clients come, until the JIT has settled: a cold process costs three times the CPU for each request for its first
/// ten seconds of load. Nothing of it is seen: the reads find nothing, and a transaction that deletes what is not there takes no revision.
/// </summary>
sealed class WarmUp(IPEndPoint endPoint, TimeSpan duration)
{
    const int Outstanding = 32;

    /// <summary>How long the last answers are waited for: a member that cannot answer itself yet must not stay closed to clients for that.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Starts with a zero byte, which no client's prefix does.</summary>
    static readonly ByteString Key = ByteString.CopyFrom([0, .. "store/warm-up"u8]);

    readonly (string Path, byte[] Body)[] calls =
    [
        Call("Range", new RangeRequest { Key = Key }),
        Call("Range", new RangeRequest { Key = Key }),
        Call("Range", new RangeRequest { Key = Key, RangeEnd = ByteString.CopyFrom([0, .. "store/warm-uq"u8]), Limit = 500, Serializable = true }),
        Call("DeleteRange", new DeleteRangeRequest { Key = Key }),
        Call("Txn", new TxnRequest
        {
            Compare = { new Compare { Key = Key, Target = Compare.Types.CompareTarget.Mod, ModRevision = 1 } },
            Success = { new RequestOp { RequestPut = new PutRequest { Key = Key } } },
            Failure = { new RequestOp { RequestRange = new RangeRequest { Key = Key } } },
        }),
    ];

    /// <summary>How many requests were answered. Gives up silently where the cluster does not answer: reads then warm less.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { EnableMultipleHttp2Connections = false, UseProxy = false })
        {
            BaseAddress = new($"http://{endPoint}"),
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(duration + Patience);
        var (started, answered) = (Stopwatch.GetTimestamp(), 0);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Outstanding).Select(async first =>
            {
                for (var i = first; Stopwatch.GetElapsedTime(started) < duration; i++)
                {
                    await AskAsync(client, calls[i % calls.Length], limit.Token);
                    Interlocked.Increment(ref answered);
                }
            }));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Its time is up.
        }
        return answered;
    }

    static async Task AskAsync(HttpClient client, (string Path, byte[] Body) call, CancellationToken cancellationToken)
    {
        // The version is the message's: a client's default does not count for messages that were made outside it.
        using var message = new HttpRequestMessage(HttpMethod.Post, call.Path)
        {
            Content = new ByteArrayContent(call.Body),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var response = await client.SendAsync(message, cancellationToken);
        await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    static (string Path, byte[] Body) Call(string method, IMessage request)
    {
        var body = new byte[5 + request.CalculateSize()];
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(1), (uint)(body.Length - 5));
        request.WriteTo(body.AsSpan(5));
        return ("/etcdserverpb.KV/" + method, body);
    }
}
