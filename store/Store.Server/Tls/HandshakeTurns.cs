using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Store.Server;

/// <summary>
/// Lets only a few TLS handshakes begin at once. Each is a millisecond of arithmetic on the thread pool; when thousands come together, because a network is back or somebody means
/// harm, they would stand there in front of the requests and heartbeats of all connections that are open already. Those that wait here wait in front of nobody.
/// </summary>
/// <remarks>
/// 1. A turn is for the beginning alone, where the arithmetic is: it ends after a few milliseconds, so that who is far away, or slow on purpose, holds up nobody.
/// 2. A turn is taken when the greeting is here as a whole, so that who says nothing takes none.
/// 3. Who went away while waiting gets none, and has cost nothing.
/// </remarks>
sealed class HandshakeTurns
{
    /// <summary>Enough for the first answer, which carries the signature.</summary>
    public static readonly TimeSpan TurnTimeMax = TimeSpan.FromMilliseconds(10);

    const byte HandshakeRecord = 0x16;
    const int RecordHeaderBytes = 5;

    readonly TimeProvider time;
    /// <summary>One item for each turn that may be taken now.</summary>
    readonly Channel<bool> free = Channel.CreateUnbounded<bool>();

    public HandshakeTurns(int atOnce, TimeProvider time)
    {
        this.time = time;
        for (var i = 0; i < atOnce; i++) free.Writer.TryWrite(true);
    }

    /// <summary>Null when the other side went away.</summary>
    /// <exception cref="OperationCanceledException">The greeting, or the turn, did not come in time.</exception>
    public async Task<Turn?> TakeAsync(ConnectionContext connection, CancellationToken cancellationToken)
    {
        if (!await IsGreetedAsync(connection.Transport.Input, cancellationToken)) return null;
        await free.Reader.ReadAsync(cancellationToken);
        if (!connection.ConnectionClosed.IsCancellationRequested) return new(free.Writer, time);
        free.Writer.TryWrite(true);
        return null;
    }

    /// <summary>Leaves every byte in the pipe.</summary>
    static async Task<bool> IsGreetedAsync(PipeReader input, CancellationToken cancellationToken)
    {
        long seen = 0;
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (IsWhole(buffer))
            {
                // What was examined cannot be taken back; but the bytes that decided came after it, so the next read will not wait.
                input.AdvanceTo(buffer.Start, buffer.GetPosition(seen));
                return true;
            }

            seen = buffer.Length;
            input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return false;
        }
    }

    /// <summary>One record (RFC 8446 §5.1) holds every usual ClientHello. What is no handshake at all is for the handshake to refuse.</summary>
    static bool IsWhole(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[RecordHeaderBytes];
        var count = (int)Math.Min(buffer.Length, RecordHeaderBytes);
        buffer.Slice(0, count).CopyTo(header);
        if (count > 0 && header[0] != HandshakeRecord) return true;
        return count == RecordHeaderBytes && buffer.Length >= RecordHeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
    }

    /// <summary>Ends by itself after <see cref="TurnTimeMax"/>, or before.</summary>
    public sealed class Turn
    {
        readonly ChannelWriter<bool> free;
        readonly ITimer timer;
        int ended;

        internal Turn(ChannelWriter<bool> free, TimeProvider time)
        {
            this.free = free;
            timer = time.CreateTimer(static turn => ((Turn)turn!).End(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            timer.Change(TurnTimeMax, Timeout.InfiniteTimeSpan);
        }

        public void End()
        {
            if (Interlocked.Exchange(ref ended, 1) != 0) return;
            free.TryWrite(true);
            timer.Dispose();
        }
    }
}
