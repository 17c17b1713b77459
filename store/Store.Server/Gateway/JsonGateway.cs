using System.Buffers;
using System.Text.Json;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>
/// etcd's JSON gateway (contract 1.12): POST a request as JSON to `/v3/...`, get the response as JSON; of a stream, a line for each. Patroni, APISIX and shell
/// scripts know nothing else. A call goes into the gRPC endpoint of this process (<see cref="InnerCall"/>), not over a socket as in etcd.
/// </summary>
/// <param name="grpc">Serves a gRPC call.</param>
/// <param name="messageBytesMax">As gRPC bounds it; in JSON, where bytes are base64, a request may be twice as long.</param>
sealed class JsonGateway(RequestDelegate grpc, int messageBytesMax)
{
    /// <summary>Responses above this size are never held whole.</summary>
    const int WholeBytesMax = 1 << 20;

    /// <summary>The middleware.</summary>
    public Task InvokeAsync(HttpContext http, RequestDelegate next) =>
        GatewayRoutes.IsGateway(http.Request.Path.Value!) ? ServeAsync(http) : next(http);

    async Task ServeAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http);
        }
        catch (Exception exception) when (http.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            // Nobody to tell.
        }
    }

    Task RouteAsync(HttpContext http)
    {
        if (GatewayRoutes.Find(http.Request.Path.Value!) is not { } method) return RefuseAsync(http, new(StatusCode.NotFound, "Not Found"));
        if (http.WebSockets.IsWebSocketRequest && method.IsServerStreaming) return GatewaySocket.ServeAsync(http, new(grpc, method, messageBytesMax));
        if (!HttpMethods.IsPost(http.Request.Method)) return RefuseAsync(http, new(StatusCode.Unimplemented, "Method Not Allowed"));
        return method.IsServerStreaming ? StreamAsync(http, method) : CallAsync(http, method);
    }

    async Task CallAsync(HttpContext http, MethodDescriptor method)
    {
        var requests = new GatewayRequests(method, new(http.Request.BodyReader, 2L * messageBytesMax), messageBytesMax);
        var (request, problem) = await requests.FirstAsync(http.RequestAborted);
        if (problem is { } wrong)
        {
            await RefuseAsync(http, wrong);
            return;
        }

        await using var call = InnerCall.Start(http, grpc, method);
        await requests.SendAsync(call, request, http.RequestAborted);
        if (await call.SizeAsync() is > WholeBytesMax and var size)
        {
            Begin(http);
            // What broke off cannot be told any more, but by the missing end.
            using var large = new LargeResponse(method.OutputType, size, http.Response.BodyWriter);
            if (await call.CopyAsync(large, http.RequestAborted)) await call.StatusAsync();
            else http.Abort();
            return;
        }

        var response = await call.ReadAsync();
        var status = await call.StatusAsync();
        if (status.StatusCode != StatusCode.OK || response is null)
        {
            await RefuseAsync(http, status);
            return;
        }

        http.Response.Headers["Grpc-Metadata-Content-Type"] = "application/grpc";
        await WriteAsync(http, StatusCodes.Status200OK, json => MessageWriter.Write(json, response));
    }

    async Task StreamAsync(HttpContext http, MethodDescriptor method)
    {
        var requests = new JsonValues(http.Request.BodyReader, 2L * messageBytesMax);
        var status = await new GatewayStream(grpc, method, messageBytesMax).RunAsync(http, requests, async line =>
        {
            Begin(http);
            await http.Response.BodyWriter.WriteAsync(line, http.RequestAborted);
        });
        var refused = status.StatusCode != StatusCode.OK && !http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested;
        if (refused) await RefuseAsync(http, status);
    }

    static void Begin(HttpContext http)
    {
        if (http.Response.HasStarted) return;
        http.Response.ContentType = "application/json";
        http.Response.Headers["Grpc-Metadata-Content-Type"] = "application/grpc";
    }

    static Task RefuseAsync(HttpContext http, Status status) => WriteAsync(http, GatewayStatus.HttpCode(status.StatusCode), json => GatewayStatus.Write(json, status));

    static async Task WriteAsync(HttpContext http, int code, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, MessageWriter.Options)) write(json);
        http.Response.StatusCode = code;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.WrittenCount;
        await http.Response.BodyWriter.WriteAsync(body.WrittenMemory, http.RequestAborted);
    }
}
