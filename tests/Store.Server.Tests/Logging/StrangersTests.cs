using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Server.Tests;

/// <summary>What strangers can have written into the log of a member.</summary>
public sealed class StrangersTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void So_many_lines_a_minute_are_said_and_the_next_minute_says_how_many_were_not()
    {
        var time = new FakeTimeProvider();
        var rate = new LineRate(time);
        for (var n = 0; n < LineRate.LinesMax; n++) Assert.Equal((true, 0), (rate.MaySay(out var none), none));
        for (var n = 0; n < 940; n++) Assert.False(rate.MaySay(out _));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((true, 940), (rate.MaySay(out var unsaid), unsaid));
        Assert.Equal((true, 0), (rate.MaySay(out unsaid), unsaid));
    }

    [Fact]
    public async Task Abandoned_handshakes_are_said_for_a_while_and_then_counted()
    {
        await using var store = await StoreUnderTest.StartAsync(Token, "--auto-tls");
        for (var n = 0; n < LineRate.LinesMax + 40; n++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", store.ClientPort, Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"), Token);
            // Until it is cut off: a handshake that has not been seen to end may be said after we have looked.
            while (await ReadAsync(client.GetStream()) > 0) continue;
        }

        await TlsClientTests.Until(() => Abandoned(store) == LineRate.LinesMax);
        Assert.Equal(LineRate.LinesMax, Abandoned(store));

        static int Abandoned(StoreUnderTest store) => store.Output.Split('\n').Count(line => line.Contains("a TLS handshake did not come to an end", StringComparison.Ordinal));

        static async Task<int> ReadAsync(NetworkStream stream)
        {
            try
            {
                return await stream.ReadAsync(new byte[100], Token);
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }

    [Fact]
    public async Task A_message_on_a_stream_that_cannot_be_read_is_answered_and_not_logged()
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var channel = GrpcChannel.ForAddress(store.Url);
        foreach (var path in (string[])["etcdserverpb.Watch/Watch", "etcdserverpb.Lease/LeaseKeepAlive", "etcdserverpb.Maintenance/Snapshot", "v3electionpb.Election/Observe"])
        {
            var raw = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);
            var parts = path.Split('/');
            using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(new Method<byte[], byte[]>(MethodType.DuplexStreaming, parts[0], parts[1], raw, raw), null, default);
            await call.RequestStream.WriteAsync([0x0a, 0xff, 0xff, 0xff], Token);
            var refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Token));
            Assert.Equal((path, StatusCode.Internal), (path, refused.StatusCode));
            Assert.StartsWith("grpc: failed to unmarshal the received message: ", refused.Status.Detail, StringComparison.Ordinal);
        }

        Assert.Equal(0, await store.StopAsync(Token));
        Assert.DoesNotContain("   at ", store.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Grpc.AspNetCore", store.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("etcdserverpb.Watch/Watch")]
    [InlineData("etcdserverpb.Lease/LeaseKeepAlive")]
    public async Task A_frame_on_a_stream_with_an_unknown_flag_is_answered_and_not_logged(string path)
    {
        await using var store = await StoreUnderTest.StartAsync(Token);
        using var client = new HttpClient();
        var flagSeven = new ByteArrayContent([7, 0, 0, 0, 0]) { Headers = { ContentType = new("application/grpc") } };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{store.Url}/{path}") { Version = new(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = flagSeven };
        using var answer = await client.SendAsync(request, Token);
        await answer.Content.ReadAsByteArrayAsync(Token);
        var headers = answer.TrailingHeaders.Concat(answer.Headers).ToDictionary(header => header.Key, header => string.Join(',', header.Value), StringComparer.Ordinal);
        Assert.Equal("13", headers["grpc-status"]);
        Assert.DoesNotContain("failed unexpectedly", store.Output, StringComparison.Ordinal);
    }
}
