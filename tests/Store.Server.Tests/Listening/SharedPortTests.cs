using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Server.Tests;

public sealed class SharedPortTests : IAsyncLifetime
{
    readonly FakeTimeProvider time = new();
    SharedPort port = null!;
    WebApplication application = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    IPEndPoint EndPoint => (IPEndPoint)port.EndPoint;

    public async ValueTask InitializeAsync()
    {
        (port, application) = await ServeAsync(time);
        port.Release();
    }

    /// <summary>Nobody is let in yet.</summary>
    static async Task<(SharedPort Port, WebApplication Application)> ServeAsync(TimeProvider time)
    {
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var port = await SharedPort.BindAsync(sockets, new IPEndPoint(IPAddress.Loopback, 0), secured: false, time, NullLogger.Instance, Token);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton<IConnectionListenerFactory, SharedPortListenerFactory>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(port.For(ClientProtocol.Http1), listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(port.For(ClientProtocol.Http2), listen => listen.Protocols = HttpProtocols.Http2);
        });
        var application = builder.Build();
        application.Run(http => http.Response.WriteAsync(http.Request.Protocol));
        await application.StartAsync(Token);
        return (port, application);
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        await port.DisposeAsync();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Both_protocols_are_served_on_one_port(string version)
    {
        Assert.Equal(version == "2.0" ? "HTTP/2" : "HTTP/1.1", await GetAsync(Version.Parse(version)));
    }

    [Fact]
    public async Task A_port_that_never_let_anybody_in_closes_all_the_same()
    {
        var (waiting, server) = await ServeAsync(time);
        await server.StopAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token);
        await server.DisposeAsync();
        await waiting.DisposeAsync();
    }

    [Fact]
    public async Task An_http1_connection_is_kept_for_further_requests()
    {
        using var client = await ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Token);
            Assert.EndsWith("HTTP/1.1\r\n0\r\n\r\n", await ReadUntilAsync(client, "\r\n0\r\n\r\n"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_preface_in_single_bytes_is_still_http2()
    {
        using var client = await ConnectAsync();
        client.NoDelay = true;
        foreach (var b in ProtocolPreface.Http2.ToArray())
        {
            await client.GetStream().WriteAsync(new[] { b }, Token);
            await Task.Yield();
        }

        await client.GetStream().WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 }, Token); // Empty SETTINGS.
        var frame = new byte[9];
        await client.GetStream().ReadExactlyAsync(frame, Token);
        Assert.Equal(4, frame[3]);
    }

    [Fact]
    public async Task A_verb_that_starts_like_the_preface_is_http1()
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync("P"u8.ToArray(), Token);
        await client.GetStream().WriteAsync("OST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Token);
        Assert.StartsWith("HTTP/1.1 200", await ReadUntilAsync(client, "\r\n0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Garbage_is_refused_and_others_are_served()
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync((byte[])[.. Enumerable.Repeat((byte)0xff, 4096), .. "\r\n\r\n"u8], Token);
        Assert.StartsWith("HTTP/1.1 400", await ReadUntilAsync(client, null), StringComparison.Ordinal);
        Assert.Equal("HTTP/2", await GetAsync(HttpVersion.Version20));
    }

    [Fact]
    public async Task Silent_connections_block_nobody_and_are_closed_when_their_time_is_up()
    {
        var silent = new List<TcpClient>();
        for (var i = 0; i < 20; i++) silent.Add(await ConnectAsync());
        await silent[0].GetStream().WriteAsync(ProtocolPreface.Http2[..10].ToArray(), Token);
        Assert.Equal("HTTP/2", await GetAsync(HttpVersion.Version20));
        Assert.Equal("HTTP/1.1", await GetAsync(HttpVersion.Version11));

        foreach (var client in silent)
        {
            var read = client.GetStream().ReadAsync(new byte[1], Token).AsTask();
            while (!read.IsCompleted)
            {
                // Its timer may not have been made yet when the clock moved first.
                time.Advance(SharedPort.RecognitionTimeMax);
                await Task.WhenAny(read, Task.Delay(10, Token));
            }

            Assert.Equal(0, await read);
            client.Dispose();
        }
    }

    [Fact]
    public void The_protocol_is_known_from_the_first_byte_that_differs()
    {
        static ClientProtocol? Recognize(string start) => ProtocolPreface.Recognize(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(start)));
        Assert.Null(Recognize(""));
        Assert.Null(Recognize("PRI * HTTP/2.0\r\n\r\nSM\r\n\r"));
        Assert.Equal(ClientProtocol.Http2, Recognize("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        Assert.Equal(ClientProtocol.Http1, Recognize("G"));
        Assert.Equal(ClientProtocol.Http1, Recognize("PUT"));
        Assert.Equal(ClientProtocol.Http1, Recognize("PRI * HTTP/1.1"));
    }

    async Task<string> GetAsync(Version version)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{EndPoint}/") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.SendAsync(request, Token);
        return await response.Content.ReadAsStringAsync(Token);
    }

    async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(EndPoint, Token);
        return client;
    }

    /// <summary>Null reads to the end.</summary>
    static async Task<string> ReadUntilAsync(TcpClient client, string? end)
    {
        var text = new StringBuilder();
        var buffer = new byte[1024];
        while (end is null || !text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var count = await client.GetStream().ReadAsync(buffer, Token);
            if (count == 0) break;
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }
}
