using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Spans, as they reach a collector.</summary>
public class TracingTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_collector_hears_of_each_call_and_of_the_trace_that_it_belongs_to()
    {
        var received = new MemoryStream();
        var address = $"127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var collector = await CollectAsync(address, received);
        var traceId = Guid.NewGuid().ToString("N");
        await using (var store = await StoreUnderTest.StartAsync(
            Token, "--experimental-enable-distributed-tracing", $"--experimental-distributed-tracing-address={address}", "--distributed-tracing-service-name=orders-db",
            "--experimental-distributed-tracing-instance-id=one"))
        {
            using var channel = GrpcChannel.ForAddress(store.Url);
            var kv = new KV.KVClient(channel);
            // Only this call asks to be traced: without a rate nothing else is.
            await kv.PutAsync(new() { Key = Google.Protobuf.ByteString.CopyFromUtf8("a") }, new Metadata { { "traceparent", $"00-{traceId}-00f067aa0ba902b7-01" } }, cancellationToken: Token);
            await kv.RangeAsync(new() { Key = Google.Protobuf.ByteString.CopyFromUtf8("a") }, cancellationToken: Token);
            Assert.Equal(0, await store.StopAsync(Token));
        }

        var sent = received.ToArray();
        var text = Encoding.Latin1.GetString(sent);
        Assert.Contains("orders-db", text, StringComparison.Ordinal);
        Assert.Contains("etcdserverpb.KV/Put", text, StringComparison.Ordinal);
        Assert.DoesNotContain("etcdserverpb.KV/Range", text, StringComparison.Ordinal);
        Assert.Contains(Encoding.Latin1.GetString(Convert.FromHexString(traceId)), text, StringComparison.Ordinal);
    }

    /// <summary>Takes what is exported and says that all is well.</summary>
    static async Task<WebApplication> CollectAsync(string address, MemoryStream received)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPEndPoint.Parse(address), listen => listen.Protocols = HttpProtocols.Http2));
        var collector = builder.Build();
        collector.Run(async http =>
        {
            Assert.Equal("/opentelemetry.proto.collector.trace.v1.TraceService/Export", http.Request.Path.Value);
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            lock (received) received.Write(body.ToArray());
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(new byte[5]);
            http.Response.AppendTrailer("grpc-status", "0");
        });
        await collector.StartAsync(Token);
        return collector;
    }
}
