using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Hostile beginnings of TLS connections, on the client and the peer port of a real member. Settings as for <see cref="FuzzTests"/>.</summary>
public sealed class HandshakeFuzzTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>The member gives a handshake five seconds; the machine may be busy.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    readonly ClusterCertificates certificates = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A ClientHello that is cut short, has any of its bytes changed, or is followed by anything.</summary>
    [Fact]
    public Task Greetings_of_any_content_are_turned_away() => TormentAsync(async (member, random) =>
    {
        var hello = await ClientHelloAsync();
        for (var n = 0; n < Ordeal.Cases / 10; n++)
        {
            using var connection = await RawConnection.OpenAsync(Port(member, n), Cancellation);
            var said = hello.ToArray();
            for (var changes = random.Next(5); changes > 0; changes--) said[random.Next(said.Length)] = (byte)random.Next(256);
            await connection.TrySendAsync(said.AsMemory(0, random.Next(4) == 0 ? random.Next(said.Length) : said.Length), Cancellation);
            var more = new byte[random.Next(300)];
            random.NextBytes(more);
            await connection.TrySendAsync(more, Cancellation);
            connection.Finish();
            await EndsAsync(connection);
        }
    });

    [Fact]
    public Task Whoever_shakes_hands_byte_by_byte_is_cut_off() => TormentAsync(async (member, random) =>
    {
        const int count = 200;
        var hello = await ClientHelloAsync();
        await Task.WhenAll(Enumerable.Range(0, count).Select(async n =>
        {
            using var connection = await RawConnection.OpenAsync(Port(member, n), Cancellation);
            var ended = EndsAsync(connection);
            // Slow enough not to come to the end, and never quite silent.
            for (var at = 0; at < hello.Length && !ended.IsCompleted; at++)
            {
                if (!await connection.TrySendAsync(hello.AsMemory(at, 1), Cancellation)) break;
                await Task.WhenAny(ended, Task.Delay(100, Cancellation));
            }

            await ended;
        }));
    });

    /// <summary>Half of them have shaken hands and say nothing; half have not even begun to. The ordeal's other client is served all the while.</summary>
    [Fact]
    public Task A_thousand_idle_connections_keep_nobody_waiting() => TormentAsync(async (member, _) =>
    {
        const int count = 1000;
        var idle = new List<IDisposable>();
        try
        {
            for (var n = 0; n < count; n++)
            {
                var client = new TcpClient();
                idle.Add(client);
                await client.ConnectAsync(IPAddress.Loopback, member.ClientPort, Cancellation);
                if (n % 2 != 0) continue;
                var tls = new SslStream(client.GetStream());
                idle.Add(tls);
                var options = certificates.ForClients();
                options.TargetHost = "127.0.0.1";
                options.ApplicationProtocols = [SslApplicationProtocol.Http2];
                await tls.AuthenticateAsClientAsync(options, Cancellation);
            }

            await member.WaitUntilReadyAsync(Cancellation);
        }
        finally
        {
            idle.ForEach(connection => connection.Dispose());
        }
    });

    /// <summary>Every hello costs the member a signature; who goes away then has paid nothing for it.</summary>
    [Fact]
    public Task Handshakes_that_are_given_up_leave_nothing_behind() => TormentAsync(async (member, _) =>
    {
        var hello = await ClientHelloAsync();
        for (var n = 0; n < Ordeal.Cases; n++)
        {
            using var connection = await RawConnection.OpenAsync(Port(member, n), Cancellation);
            await connection.TrySendAsync(hello, Cancellation);
        }
    });

    static int Port(MemberProcess member, int n) => n % 2 == 0 ? member.ClientPort : member.PeerPort;

    Task TormentAsync(Func<MemberProcess, Random, Task> inflict) => Ordeal.OfOneMemberAsync(inflict, certificates, output, Cancellation);

    /// <summary>What a client says first: written into memory, where no answer comes.</summary>
    static async Task<byte[]> ClientHelloAsync()
    {
        using var wire = new MemoryStream();
        await using var tls = new SslStream(wire, leaveInnerStreamOpen: true);
        await Assert.ThrowsAsync<IOException>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1" }, Cancellation));
        return wire.ToArray();
    }

    static Task<long> EndsAsync(RawConnection connection) => connection.ReadToEndAsync(Cancellation).WaitAsync(Patience, Cancellation);

    public void Dispose() => certificates.Dispose();
}
