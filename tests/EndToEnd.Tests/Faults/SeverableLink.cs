using System.Net;
using System.Net.Sockets;

namespace EndToEnd.Tests;

/// <summary>Stands before a member's peer port and passes everything on, until it is told to lose a large message on its way in: then that connection ends with it.</summary>
sealed class SeverableLink : IAsyncDisposable
{
    /// <summary>Heartbeats and what answers them are smaller.</summary>
    const int LargeBytes = 8 * 1024;

    readonly TcpListener listener;
    readonly int target;
    readonly CancellationTokenSource stopping = new();
    readonly Task accepting;
    int loses;

    public SeverableLink(int port, int target)
    {
        this.target = target;
        listener = new(IPAddress.Loopback, port);
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>The next large message does not arrive. Connections made afterwards are as good as any.</summary>
    public void LoseNext() => Interlocked.Exchange(ref loses, 1);

    public bool HasLost => Volatile.Read(ref loses) == 2;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    async Task AcceptAsync()
    {
        var passing = new List<Task>();
        try
        {
            while (true)
                passing.Add(PassAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(passing);
        }
    }

    async Task PassAsync(TcpClient from)
    {
        using var to = new TcpClient();
        using (from)
        {
            try
            {
                await to.ConnectAsync(IPAddress.Loopback, target, stopping.Token);
                (from.NoDelay, to.NoDelay) = (true, true);
                // Whichever way ends first ends both.
                await Task.WhenAny(CopyAsync(from.GetStream(), to.GetStream(), inward: true), CopyAsync(to.GetStream(), from.GetStream(), inward: false));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The member is not up, or the test is over.
            }
        }
    }

    async Task CopyAsync(NetworkStream from, NetworkStream to, bool inward)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, stopping.Token) is > 0 and var count)
            {
                if (inward && count >= LargeBytes && Interlocked.CompareExchange(ref loses, 2, 1) == 1)
                    return;
                await to.WriteAsync(buffer.AsMemory(0, count), stopping.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has gone.
        }
    }
}
