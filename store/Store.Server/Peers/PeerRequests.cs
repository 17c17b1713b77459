using System.IO.Pipelines;
using System.Net.Sockets;
using Store.Raft;

namespace Store.Server;

/// <summary>What one member asks another outside of Raft. Values are on the wire.</summary>
enum PeerQuestion : byte
{
    /// <summary>lease id (8) -> error (its name), ttl (8).</summary>
    RenewLease = 1,
    /// <summary>lease id (8) -> error (its name), granted (8), remaining (8), keys.</summary>
    LeaseTimeToLive = 2,
    /// <summary>kind (1), encoded MemberChange -> error (its name).</summary>
    ChangeMembership = 3,
    /// <summary>revision (8) -> error (its name), hash (8), compacted revision (8).</summary>
    HashKv = 4,
    /// <summary>To the leader, from a member that starts: compare what all members hold. Answered with nothing when that was done.</summary>
    CompareContent = 5,
}

/// <summary>
/// Questions to one member over one connection, opened at the first of them. Many may be under way; answers come in any order and find their question
/// by number. When the connection breaks all of them are answered with nothing, and the next question opens it again.
/// </summary>
sealed class PeerRequests(PeerNetwork network, NodeId id) : IAsyncDisposable
{
    readonly SemaphoreSlim writing = new(1, 1);
    readonly Lock gate = new();
    readonly Dictionary<ulong, TaskCompletionSource<PayloadReader?>> waiting = [];
    readonly CancellationTokenSource stopping = new();
    Stream? connection;
    ulong lastNumber;

    public async Task<PayloadReader?> AskAsync(Action<FrameBuffer> question, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<PayloadReader?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var number = Interlocked.Increment(ref lastNumber);
        var frame = new FrameBuffer();
        frame.BeginFrame(FrameType.Request);
        frame.WriteLong(number);
        question(frame);
        frame.EndFrame();
        lock (gate) waiting.Add(number, answer);
        try
        {
            await SendAsync(frame, cancellationToken).WaitAsync(timeout, network.Time, cancellationToken);
            return await answer.Task.WaitAsync(timeout, network.Time, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException or TimeoutException or ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            lock (gate) waiting.Remove(number);
        }
    }

    async Task SendAsync(FrameBuffer frame, CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            connection ??= await ConnectAsync(cancellationToken);
            await connection.WriteAsync(frame.WrittenMemory, cancellationToken);
        }
        catch
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            writing.Release();
        }
    }

    async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var urls = network.UrlsOf(id);
        if (urls.Count == 0) throw new IOException("unknown member");
        var (stream, answer) = await network.Dialer.DialAsync(urls[0], id, PeerChannel.Requests, cancellationToken);
        if (stream is null) throw new IOException($"refused: {answer.Refusal}");
        _ = ReadAsync(stream);
        return stream;
    }

    async Task ReadAsync(Stream stream)
    {
        try
        {
            await PeerFrames.ReadAsync(PipeReader.Create(stream, new(leaveOpen: true)), TakeAnswer, paused: null, stopping.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or OperationCanceledException or ObjectDisposedException)
        {
            // Shows in the questions that stay without an answer.
        }
        finally
        {
            await stream.DisposeAsync();
            Interlocked.CompareExchange(ref connection, null, stream);
            FailWaiting();
        }
    }

    bool TakeAnswer(FrameType type, ReadOnlyMemory<byte> payload)
    {
        if (type != FrameType.Response) throw new InvalidDataException($"unexpected frame {type}");
        var reader = new PayloadReader(payload);
        var number = reader.Long();
        lock (gate)
        {
            if (waiting.Remove(number, out var answer)) answer.TrySetResult(reader);
        }
        return true;
    }

    void FailWaiting()
    {
        lock (gate)
        {
            foreach (var answer in waiting.Values) answer.TrySetResult(null);
            waiting.Clear();
        }
    }

    async ValueTask CloseAsync()
    {
        var broken = Interlocked.Exchange(ref connection, null);
        if (broken is not null) await broken.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await CloseAsync();
        stopping.Dispose();
        writing.Dispose();
    }
}
