using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.State;
using Xunit;

namespace Store.Server.Tests;

/// <summary>A session whose client is the other end of a pipe, as narrow as an HTTP/2 window.</summary>
sealed class RunningSession : IAsyncDisposable
{
    public const int WindowBytes = 64 << 10;
    public const int FragmentBytes = 2 << 20;

    readonly Pipe pipe = new(new PipeOptions(pauseWriterThreshold: WindowBytes, resumeWriterThreshold: WindowBytes / 2, useSynchronizationContext: false));
    readonly CancellationTokenSource ended = new();
    readonly WatchSession session;
    readonly Task running;

    public RunningSession(WatchFeed feed, TimeProvider? time = null, TimeSpan? progressInterval = null)
    {
        var output = new WatchOutput(pipe.Writer, new(0xcdf818194e3a8c32, new(0x8e9e05c52164694d), "one"), () => 2, FragmentBytes);
        session = new(feed, output, time ?? TimeProvider.System, progressInterval ?? TimeSpan.FromMinutes(10), WatchLimits.Default);
        running = Task.Run(() => session.RunAsync(ended.Token));
    }

    public PipeReader Reader => pipe.Reader;

    public async Task CreateAsync(string key, string end = "", long start = 0, long id = 0, bool progressNotify = false, bool fragment = false) =>
        await session.ReceiveAsync(
            new()
            {
                CreateRequest = new()
                {
                    Key = ByteString.CopyFromUtf8(key),
                    RangeEnd = ByteString.CopyFromUtf8(end),
                    StartRevision = start,
                    WatchId = id,
                    ProgressNotify = progressNotify,
                    Fragment = fragment,
                },
            },
            StoreError.None,
            TestContext.Current.CancellationToken);

    public async Task RequestProgressAsync() => await session.ReceiveAsync(new() { ProgressRequest = new() }, StoreError.None, TestContext.Current.CancellationToken);

    /// <summary>The next response on the wire.</summary>
    public async Task<WatchResponse> NextAsync()
    {
        while (true)
        {
            var read = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (TryParse(read.Buffer, out var response, out var consumed))
            {
                pipe.Reader.AdvanceTo(read.Buffer.GetPosition(consumed));
                return response;
            }
            Assert.False(read.IsCompleted, "the session has ended");
            pipe.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    static bool TryParse(ReadOnlySequence<byte> buffer, out WatchResponse response, out long consumed)
    {
        (response, consumed) = (null!, 0);
        if (buffer.Length < 5) return false;
        var prefix = buffer.Slice(0, 5).ToArray();
        Assert.Equal(0, prefix[0]);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        consumed = 5 + length;
        if (buffer.Length < consumed) return false;
        response = WatchResponse.Parser.ParseFrom(buffer.Slice(5, length));
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // A write was waiting for this client.
        }
        session.Dispose();
        ended.Dispose();
    }
}
