using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Input that no client would send, at a real member: it must not end, must not grow, and must serve others meanwhile. FUZZ_CASES sets how many of each
/// (2,000), FUZZ_SEED which.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    static readonly int Cases = Ordeal.Cases;

    /// <summary>Done as asked they would end the service of others, or take it from them, and rightly so.</summary>
    static readonly string[] Mighty = ["MemberAdd", "MemberRemove", "MemberUpdate", "MemberPromote", "Alarm", "AuthEnable", "Downgrade", "MoveLeader"];

    /// <summary>A prefix of a kind that does not exist.</summary>
    static readonly byte[] NoMessage = [9, 0, 0, 0, 0];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    static IEnumerable<MethodDescriptor> Methods => RpcReflection.Descriptor.Services.SelectMany(service => service.Methods);

    [Fact]
    public Task Requests_of_any_content_are_answered() => TormentAsync(async (member, random) =>
    {
        var messages = new RandomMessages(random);
        var methods = Methods.Where(method => !Mighty.Contains(method.Name)).ToArray();
        using var http = Client(member);
        for (var n = 0; n < Cases; n++)
        {
            var method = methods[random.Next(methods.Length)];
            var message = messages.Of(method.InputType).ToByteArray();
            var body = Prefixed(random.Next(2) == 0 ? message : messages.Damage(message));
            // A watch outlives its last request, as in etcd: something that is no message ends it.
            await CallAsync(http, method, method.IsClientStreaming ? [.. body, .. NoMessage] : body);
        }
    });

    [Fact]
    public Task What_is_no_message_is_refused_by_every_method() => TormentAsync(async (member, random) =>
    {
        using var http = Client(member);
        foreach (var method in Methods)
        {
            // A field without a number; a length beyond the end; a number without an end; a prefix of no known kind; no prefix.
            byte[][] bodies = [Prefixed([0]), Prefixed([0x0a, 0xff, 0xff, 0xff, 0x7f]), Prefixed([0x08, .. Enumerable.Repeat((byte)0xff, 12)]), NoMessage, [0, 0], Prefixed(Noise(random, 40), 0x7fffffff)];
            foreach (var body in bodies) Assert.NotEqual(0, await CallAsync(http, method, body));
        }
    });

    [Fact]
    public Task Messages_within_messages_without_end_are_refused() => TormentAsync(async (member, _) =>
    {
        using var http = Client(member);
        var method = KvMethod("Txn");
        // Txn.success[0].request_txn.success[0]...; and an unknown group in a group in a group...
        byte[] nested = [];
        for (var depth = 0; depth < 10_000; depth++) nested = Field(2, Field(4, nested));
        Assert.NotEqual(0, await CallAsync(http, method, Prefixed(nested)));
        foreach (var each in Methods.Where(each => !Mighty.Contains(each.Name)))
            await CallAsync(http, each, Prefixed([.. Enumerable.Repeat((byte)0x9b, 100_000).Select((b, n) => n % 2 == 0 ? b : (byte)0x06)]));
    });

    [Fact]
    public Task Frames_of_any_content_end_their_connection_at_most() => TormentAsync(async (member, random) =>
    {
        for (var n = 0; n < Cases / 10; n++)
        {
            using var connection = await RawConnection.OpenHttp2Async(member.ClientPort, Cancellation);
            for (var frames = random.Next(1, 30); frames > 0; frames--)
            {
                var type = (byte)(random.Next(8) == 0 ? random.Next(256) : random.Next(10));
                if (!await connection.TrySendAsync(RawConnection.Frame(type, (byte)random.Next(256), random.Next(-1, 12), Noise(random, random.Next(300))), Cancellation)) break;
            }

            connection.Finish();
            await EndsAsync(connection);
        }
    });

    [Fact]
    public Task Anything_instead_of_a_greeting_is_turned_away_on_the_client_and_the_peer_port() => TormentAsync(async (member, random) =>
    {
        byte[][] greetings = [RawConnection.Preface.ToArray(), "SCPEER\0\u0001"u8.ToArray(), "GET / HTTP/1.1\r\n"u8.ToArray(), [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]];
        for (var n = 0; n < Cases / 10; n++)
        {
            using var connection = await RawConnection.OpenAsync(random.Next(2) == 0 ? member.ClientPort : member.PeerPort, Cancellation);
            var greeting = greetings[random.Next(greetings.Length)];
            await connection.TrySendAsync(greeting.AsMemory(0, random.Next(greeting.Length + 1)), Cancellation);
            await connection.TrySendAsync(Noise(random, random.Next(200)), Cancellation);
            connection.Finish();
            await EndsAsync(connection);
        }
    });

    [Fact]
    public Task Whoever_says_nothing_or_too_little_is_cut_off() => TormentAsync(async (member, random) =>
    {
        const int count = 300;
        var slow = new List<RawConnection>();
        for (var n = 0; n < count; n++)
        {
            var connection = await RawConnection.OpenAsync(n % 3 == 0 ? member.PeerPort : member.ClientPort, Cancellation);
            slow.Add(connection);
            if (n % 3 == 0) await connection.TrySendAsync("SCPEER"u8.ToArray().AsMemory(0, random.Next(6)), Cancellation);
            else await connection.TrySendAsync(RawConnection.Preface[..random.Next(RawConnection.Preface.Length)].ToArray(), Cancellation);
        }

        await Task.WhenAll(slow.Select(EndsAsync));
        slow.ForEach(connection => connection.Dispose());
    });

    [Fact]
    public Task Headers_without_end_are_refused() => TormentAsync(async (member, random) =>
    {
        for (var n = 0; n < 20; n++)
        {
            using var text = await RawConnection.OpenAsync(member.ClientPort, Cancellation);
            await text.TrySendAsync(Encoding.ASCII.GetBytes($"GET /health HTTP/1.1\r\nHost: x\r\nX: {new string('x', 1 << 20)}\r\n\r\n"), Cancellation);
            await EndsAsync(text);

            using var frames = await RawConnection.OpenHttp2Async(member.ClientPort, Cancellation);
            await frames.TrySendAsync(RawConnection.Frame(RawConnection.Headers, 0, 1, RawConnection.CallHeaders("/etcdserverpb.KV/Put")), Cancellation);
            byte[] more = [.. Enumerable.Range(0, 80).SelectMany(i => RawConnection.Header($"x-{i}", new string('y', 100)))];
            for (var sent = 0; sent < 2_000 && await frames.TrySendAsync(RawConnection.Frame(RawConnection.Continuation, 0, 1, more), Cancellation); sent++) { }
            await EndsAsync(frames);
        }
    });

    /// <summary>CVE-2023-44487: streams that are opened and given up at once, of a write, a read and a watch.</summary>
    [Fact]
    public Task A_hundred_thousand_reset_streams_cost_nobody_else_anything() => TormentAsync(async (member, random) =>
    {
        const int resets = 50_000, batch = 50; // Twice.
        var calls = new[] { "/etcdserverpb.KV/Put", "/etcdserverpb.KV/Range", "/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive" }.Select(RawConnection.CallHeaders).ToArray();
        for (var sent = 0; sent < resets;)
        {
            using var connection = await RawConnection.OpenHttp2Async(member.ClientPort, Cancellation);
            var reading = connection.ReadToEndAsync(Cancellation);
            var open = true;
            for (var stream = 1; open && sent < resets && stream < 20_000;)
            {
                var bytes = new List<byte>();
                for (var n = 0; n < batch; n++, stream += 2, sent++)
                {
                    bytes.AddRange(RawConnection.Frame(RawConnection.Headers, RawConnection.EndHeaders, stream, calls[random.Next(calls.Length)]));
                    bytes.AddRange(RawConnection.Frame(RawConnection.Reset, 0, stream, [0, 0, 0, 8]));
                }

                open = !reading.IsCompleted && await connection.TrySendAsync(bytes.ToArray(), Cancellation);
            }

            connection.Finish();
            await reading.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        }
    });

    Task TormentAsync(Func<MemberProcess, Random, Task> inflict) => Ordeal.OfOneMemberAsync(inflict, null, output, Cancellation);

    static HttpClient Client(MemberProcess member) => new() { BaseAddress = new(member.ClientUrl), Timeout = TimeSpan.FromSeconds(20) };

    /// <returns>The gRPC status. A stream that the server resets counts as refused (internal, 13).</returns>
    static async Task<int> CallAsync(HttpClient http, MethodDescriptor method, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/{method.Service.FullName}/{method.Name}")
        {
            Content = new ByteArrayContent(body),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        try
        {
            using var response = await http.SendAsync(request, Cancellation);
            var status = (response.TrailingHeaders.TryGetValues("grpc-status", out var values) || response.Headers.TryGetValues("grpc-status", out values)) ? values.Single() : "none";
            Assert.True(int.TryParse(status, out var code) && code is >= 0 and <= 16, $"{method.FullName} answered {Convert.ToHexString(body.AsSpan(0, Math.Min(body.Length, 200)))} with status {status}");
            return code;
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError is HttpRequestError.HttpProtocolError or HttpRequestError.Unknown)
        {
            return 13;
        }
        catch (TaskCanceledException exception) when (!Cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"{method.FullName} did not answer {Convert.ToHexString(body)}", exception);
        }
    }

    /// <summary>The server closes within its own limits: ten seconds to show a protocol, five for a peer to introduce itself.</summary>
    static Task EndsAsync(RawConnection connection) => connection.ReadToEndAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(40), Cancellation);

    static MethodDescriptor KvMethod(string name) => Methods.Single(method => method.Name == name && method.Service.Name == "KV");

    static byte[] Prefixed(byte[] message, int? announced = null)
    {
        var body = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), announced ?? message.Length);
        message.CopyTo(body, 5);
        return body;
    }

    static byte[] Noise(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A field that holds a message.</summary>
    static byte[] Field(int number, byte[] content)
    {
        using var buffer = new MemoryStream();
        var output = new CodedOutputStream(buffer);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
        output.Flush();
        return buffer.ToArray();
    }
}
