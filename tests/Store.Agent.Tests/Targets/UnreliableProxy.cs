using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Store.Agent.Tests;

/// <summary>A proxy in front of an HTTP server that answers for it, is slow, or cuts connections and answers short, by chance from a seed.</summary>
sealed class UnreliableProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly IPEndPoint server;
    readonly Random random;
    readonly Task accepting;

    public UnreliableProxy(Uri server, int seed)
    {
        this.server = new(IPAddress.Loopback, server.Port);
        random = new(seed);
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>The share of connections that something happens to. At 1 the server is down: nothing gets through.</summary>
    public double Unreliability { get; set; }

    public int Faults { get; private set; }

    async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync(stopping.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }
            _ = ServeAsync(client);
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var fault = Next();
            if (fault is Fault.Error500 or Fault.Error503) await RefuseAsync(client, fault);
            else await PassAsync(client, fault);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the two has hung up.
        }
    }

    Fault Next()
    {
        lock (random)
        {
            if (random.NextDouble() >= Unreliability) return Fault.None;
            Faults++;
            if (Unreliability >= 1) return Fault.Error503;
            return (Fault)random.Next(1, 6);
        }
    }

    /// <summary>Answers when the head of the request is there, and hangs up.</summary>
    async Task RefuseAsync(TcpClient client, Fault fault)
    {
        var buffer = new byte[64 << 10];
        if (await client.GetStream().ReadAsync(buffer, stopping.Token) == 0) return;
        var status = fault == Fault.Error500 ? "500 Internal Server Error" : "503 Slow Down";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), stopping.Token);
    }

    async Task PassAsync(TcpClient client, Fault fault)
    {
        if (fault == Fault.Delay) await Task.Delay(300, stopping.Token);
        using var upstream = new TcpClient();
        await upstream.ConnectAsync(server, stopping.Token);
        // A cut request ends in its middle; a truncated answer in its own. Others end some time, too, or one that is well would carry everything.
        var up = CopyAsync(client, upstream, fault == Fault.CutRequest ? Budget() : long.MaxValue);
        var down = CopyAsync(upstream, client, fault == Fault.TruncateAnswer ? Budget() : Unreliability > 0 ? 5 * Budget() : long.MaxValue);
        await Task.WhenAny(up, down);
    }

    long Budget()
    {
        lock (random) return random.Next(1, 4000);
    }

    async Task CopyAsync(TcpClient from, TcpClient to, long budget)
    {
        var buffer = new byte[64 << 10];
        while (await from.GetStream().ReadAsync(buffer, stopping.Token) is > 0 and var count)
        {
            var part = (int)Math.Min(count, budget);
            await to.GetStream().WriteAsync(buffer.AsMemory(0, part), stopping.Token);
            if ((budget -= part) == 0) return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        stopping.Dispose();
    }

    enum Fault { None, Delay, CutRequest, TruncateAnswer, Error500, Error503 }
}
