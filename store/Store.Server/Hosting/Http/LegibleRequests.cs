using System.Buffers;
using System.Collections.Frozen;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>
/// Looks at the one request of a stream of answers (Snapshot, Observe, RangeStream) before Grpc.AspNetCore does: that reads it before any interceptor is asked, and takes bytes that are
/// no message for a fault of ours, code Unknown. Here they are the client's mistake, in the words of etcd's gRPC. What is legible is left in the pipe, unread.
/// </summary>
sealed class LegibleRequests(int messageBytesMax)
{
    static readonly FrozenDictionary<string, MessageParser> Parsers = EtcdServices.WithHealth.Append(Protocol.Backup.Backup.Descriptor)
        .SelectMany(service => service.Methods)
        .Where(method => method.IsServerStreaming && !method.IsClientStreaming)
        .ToFrozenDictionary(method => $"/{method.Service.FullName}/{method.Name}", method => method.InputType.Parser, StringComparer.Ordinal);

    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if (!Parsers.TryGetValue(http.Request.Path.Value!, out var parser) || !UnaryEndpoint.IsGrpc(http.Request))
        {
            await next(http);
            return;
        }

        Status? problem;
        try
        {
            problem = await ProblemAsync(http.Request, parser);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The caller has gone: nobody to tell.
            http.Abort();
            return;
        }

        if (problem is { } status) UnaryEndpoint.Refuse(http, status);
        else await next(http);
    }

    async ValueTask<Status?> ProblemAsync(HttpRequest request, MessageParser parser)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            var complete = RequestFrame.TryRead(read.Buffer, messageBytesMax, out var message, out var compressed, out var problem);
            // Of another compression than this Grpc.AspNetCore knows more.
            if (complete && problem is null && (!compressed || request.Headers["grpc-encoding"] == "gzip")) problem = Problem(message, compressed, parser);
            // Looked at up to its start: the next who reads gets all of it at once.
            reader.AdvanceTo(read.Buffer.Start, complete ? read.Buffer.Start : read.Buffer.End);
            if (complete || read.IsCompleted) return problem;
        }
    }

    Status? Problem(ReadOnlySequence<byte> message, bool compressed, MessageParser parser)
    {
        try
        {
            if (!compressed) parser.ParseFrom(message);
            else if (RequestFrame.Decompress(message, messageBytesMax) is { } plain) parser.ParseFrom(plain);
            return null;
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException)
        {
            return new Status(StatusCode.Internal, StreamFaults.IllegibleText + exception.Message);
        }
    }
}
