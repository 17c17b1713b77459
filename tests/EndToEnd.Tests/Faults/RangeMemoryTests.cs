using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What large ranges cost the member that serves them, however many are read at once.</summary>
/// <remarks>RANGE_MEMORY_MIB=1024 reads a store of 1 GiB, twenty times at once, in each of the ways.</remarks>
public sealed class RangeMemoryTests(ITestOutputHelper output)
{
    const long Mebibyte = 1 << 20;
    const int Readers = 20;
    const int ValueBytes = 10_000;
    const long GrowthMax = 256 * Mebibyte;

    const string Json = "JSON";

    static readonly string[] Methods = ["Range", "RangeStream", Json];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    static long StoreBytes => long.Parse(Environment.GetEnvironmentVariable("RANGE_MEMORY_MIB") ?? "128") * Mebibyte;

    [Fact]
    public async Task Twenty_full_ranges_at_once_cost_the_memory_of_pieces()
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, Token, flags: LoopbackCluster.Warm(Product.Store));
        var member = cluster[0];
        await FillAsync(member);
        var request = new RangeRequest { Key = ByteString.CopyFrom(0), RangeEnd = ByteString.CopyFrom(0) };
        // What the first readers cost in code and pools is not the readers'.
        foreach (var method in Methods) await ReadAsync(member, method, request);
        foreach (var method in Methods)
        {
            var before = member.ResidentBytes();
            var reading = Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => Task.Run(() => ReadAsync(member, method, request))));
            var most = 0L;
            while (!reading.IsCompleted)
            {
                most = Math.Max(most, member.ResidentBytes() - before);
                await Task.WhenAny(reading, Task.Delay(20, Token));
            }
            // Base64 takes four bytes for three.
            var expected = method == Json ? StoreBytes * 4 / 3 : StoreBytes;
            Assert.All(await reading, bytes => Assert.InRange(bytes, expected, expected * 11 / 10));
            output.WriteLine($"{Readers} x {method} of {StoreBytes / Mebibyte} MiB: {most / Mebibyte} MiB more resident than before ({before / Mebibyte} MiB)");
            Assert.True(most < GrowthMax, $"{Readers} x {method} cost {most / Mebibyte} MiB.");
        }
    }

    static async Task FillAsync(MemberProcess member)
    {
        const int Batch = 100;
        var kv = new KV.KVClient(member.Channel);
        var random = new Random(1);
        var value = new byte[ValueBytes];
        for (var key = 0; key < StoreBytes / ValueBytes; key += Batch)
        {
            var txn = new TxnRequest();
            for (var i = key; i < key + Batch; i++)
            {
                random.NextBytes(value);
                txn.Success.Add(new RequestOp { RequestPut = new() { Key = ByteString.CopyFromUtf8($"key-{i:d8}"), Value = ByteString.CopyFrom(value) } });
            }
            await kv.TxnAsync(txn, cancellationToken: Token);
        }
    }

    /// <summary>The bytes of the answer, thrown away as they come: a client that collected them would need their memory itself.</summary>
    static async Task<long> ReadAsync(MemberProcess member, string method, RangeRequest request)
    {
        if (method == Json) return await ReadJsonAsync(member);
        var body = new byte[5 + request.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), request.CalculateSize());
        request.WriteTo(body.AsSpan(5));
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(30) };
        using var call = new HttpRequestMessage(HttpMethod.Post, $"{member.ClientUrl}/etcdserverpb.KV/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
            Headers = { TE = { new TransferCodingWithQualityHeaderValue("trailers") } },
        };
        using var response = await http.SendAsync(call, HttpCompletionOption.ResponseHeadersRead, Token);
        var bytes = await CountAsync(response);
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
        return bytes;
    }

    static async Task<long> ReadJsonAsync(MemberProcess member)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(30) };
        using var call = new HttpRequestMessage(HttpMethod.Post, $"{member.ClientUrl}/v3/kv/range") { Content = new StringContent("""{"key":"AA==","range_end":"AA=="}""") };
        using var response = await http.SendAsync(call, HttpCompletionOption.ResponseHeadersRead, Token);
        return await CountAsync(response);
    }

    static async Task<long> CountAsync(HttpResponseMessage response)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(Token);
        var (buffer, bytes) = (new byte[256 * 1024], 0L);
        while (await stream.ReadAsync(buffer, Token) is > 0 and var count) bytes += count;
        return bytes;
    }
}
