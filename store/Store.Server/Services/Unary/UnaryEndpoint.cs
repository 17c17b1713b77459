using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// gRPC's unary calls straight on Kestrel's pipes (gRPC over HTTP/2, wire format): five bytes of prefix, one message, one answer, a status in the
/// trailers. The general gRPC stack allocates a call context, a deadline timer, a linked cancellation and a response copy for each request, which
/// is what a Range of one key would mostly consist of. Streams are served by Grpc.AspNetCore behind this.
/// </summary>
/// <remarks>
/// grpc-timeout is left to the client, which stops waiting by itself and resets the stream; here every wait is bounded by the request timeout.
/// </remarks>
/// <param name="hasLeader">Callers may ask for one (metadata "hasleader") and are refused where there is none.</param>
sealed class UnaryEndpoint(IEnumerable<UnaryMethod> methods, int messageBytesMax, Func<bool> hasLeader, ILogger logger)
{
    const string ContentType = "application/grpc";
    const string StatusName = "grpc-status", MessageName = "grpc-message";

    readonly FrozenDictionary<string, UnaryMethod> methods = methods.ToFrozenDictionary(m => m.Path, StringComparer.Ordinal);

    /// <summary>The middleware: answers the calls it knows and passes everything else on.</summary>
    public Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var request = http.Request;
        return methods.TryGetValue(request.Path.Value!, out var method) && IsGrpc(request) ? ServeAsync(http, method) : next(http);
    }

    public static bool IsGrpc(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && HttpProtocol.IsHttp2(request.Protocol) && request.ContentType is { } type
        && type.StartsWith(ContentType, StringComparison.Ordinal) && (type.Length == ContentType.Length || type[ContentType.Length] is '+' or ';');

    /// <summary>A call that ends with an error and nothing else: its status stands in the headers ("Trailers-Only").</summary>
    public static void Refuse(HttpContext http, Status status)
    {
        var response = http.Response;
        response.ContentType = ContentType;
        response.Headers[StatusName] = ((int)status.StatusCode).ToString();
        if (status.Detail.Length > 0) response.Headers[MessageName] = PercentEncode(status.Detail);
    }

    async Task ServeAsync(HttpContext http, UnaryMethod method)
    {
        var start = method.Metrics.Start();
        var span = RpcSpans.Start(http);
        var code = StatusCode.OK;
        try
        {
            code = await AnswerAsync(http, method);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ConnectionAbortedException or ConnectionResetException or IOException)
        {
            // The caller has gone: nobody to tell.
            code = StatusCode.Cancelled;
            http.Abort();
        }
        catch (Exception exception)
        {
            Log.RequestFailed(logger, method.Path, exception);
            code = StatusCode.Unknown;
            if (http.Response.HasStarted) http.Abort();
            else Refuse(http, new(code, exception.Message));
        }

        span.End(code);
        method.Metrics.End(start, code);
    }

    async ValueTask<StatusCode> AnswerAsync(HttpContext http, UnaryMethod method)
    {
        var (answer, problem) = await CallAsync(http, method);
        if (problem is null && answer.Failed) problem = answer.Status;
        if (problem is { } status)
        {
            Refuse(http, status);
            return status.StatusCode;
        }

        try
        {
            return await WriteAsync(http, answer);
        }
        finally
        {
            answer.Release();
        }
    }

    /// <summary>Reads the one message and calls the handler while it is still in the pipe's memory.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<(Answer Answer, Status? Problem)> CallAsync(HttpContext http, UnaryMethod method)
    {
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            var buffer = read.Buffer;
            if (RequestFrame.TryRead(buffer, messageBytesMax, out var message, out var compressed, out var problem))
            {
                ValueTask<Answer> call = default;
                if (problem is null)
                {
                    StoreMetrics.ClientReceivedBytes.Add(message.Length + RequestFrame.PrefixBytes);
                    problem = Begin(http, method, message, compressed, out call);
                }

                reader.AdvanceTo(buffer.End);
                return problem is null ? (await call, null) : (default, problem);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return (default, new Status(StatusCode.Internal, "the request ended before its message"));
        }
    }

    Status? Begin(HttpContext http, UnaryMethod method, ReadOnlySequence<byte> message, bool compressed, out ValueTask<Answer> call)
    {
        call = default;
        try
        {
            if (compressed)
            {
                if (http.Request.Headers["grpc-encoding"] != "gzip")
                {
                    http.Response.Headers["grpc-accept-encoding"] = "identity,gzip";
                    return new Status(StatusCode.Unimplemented, $"grpc: Decompressor is not installed for grpc-encoding \"{http.Request.Headers["grpc-encoding"]}\"");
                }

                if (RequestFrame.Decompress(message, messageBytesMax) is not { } plain) return RequestFrame.TooLarge(messageBytesMax + 1L, messageBytesMax);
                message = new(plain);
            }

            if (!ClientApiVersion.IsValid(http.Request.Headers)) return StatusMapping.ToStatus(State.StoreError.InvalidClientApiVersion);
            if (http.Request.Headers["hasleader"] == "true" && !hasLeader()) return StatusMapping.ToStatus(State.StoreError.NoLeader);
            call = method.CallAsync(message, new(http));
            return null;
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException)
        {
            return new Status(StatusCode.Internal, "grpc: error unmarshalling request: " + exception.Message);
        }
    }

    static async ValueTask<StatusCode> WriteAsync(HttpContext http, Answer answer)
    {
        var size = answer.SizeBytes;
        if (size > int.MaxValue)
        {
            var status = new Status(StatusCode.ResourceExhausted, $"grpc: trying to send message larger than max ({size} vs. {int.MaxValue})");
            Refuse(http, status);
            return status.StatusCode;
        }

        http.Response.ContentType = ContentType;
        var writer = http.Response.BodyWriter;
        WritePrefix(writer, (uint)size);
        await answer.WriteAsync(writer);
        StoreMetrics.ClientSentBytes.Add(size + RequestFrame.PrefixBytes);
        http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers[StatusName] = "0";
        return StatusCode.OK;
    }

    static void WritePrefix(System.IO.Pipelines.PipeWriter writer, uint length)
    {
        var prefix = writer.GetSpan(RequestFrame.PrefixBytes);
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], length);
        writer.Advance(RequestFrame.PrefixBytes);
    }

    /// <summary>grpc-message is UTF-8 with everything outside printable ASCII percent-encoded, and '%' itself.</summary>
    static string PercentEncode(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('%', StringComparison.Ordinal)) return text;
        var encoded = new System.Text.StringBuilder();
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text))
            _ = b is >= (byte)' ' and <= (byte)'~' and not (byte)'%' ? encoded.Append((char)b) : encoded.Append('%').Append(b.ToString("X2"));
        return encoded.ToString();
    }
}
