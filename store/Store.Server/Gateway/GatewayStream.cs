using System.Buffers;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>One stream through the gateway: JSON values in, lines of JSON out.</summary>
sealed class GatewayStream(RequestDelegate grpc, MethodDescriptor method, int messageBytesMax)
{
    readonly ArrayBufferWriter<byte> line = new();

    /// <summary>Of JSON, where bytes are base64.</summary>
    public long ValueBytesMax => 2L * messageBytesMax;

    /// <summary>Until the stream or its client ends. An error behind the first line is told as a line of its own, one before it only in the result.</summary>
    public async Task<Status> RunAsync(HttpContext http, JsonValues values, Func<ReadOnlyMemory<byte>, Task> sendLine)
    {
        var requests = new GatewayRequests(method, values, messageBytesMax);
        var (first, problem) = await requests.FirstAsync(http.RequestAborted);
        if (problem is { } wrong) return wrong;

        await using var call = InnerCall.Start(http, grpc, method);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var sending = SendAsync(call, requests, first, ended.Token);
        var lines = 0;
        for (; await call.ReadAsync() is { } message; lines++) await sendLine(Line("result", json => MessageWriter.Write(json, message)));
        await ended.CancelAsync();
        var status = await sending;
        if (status.StatusCode == StatusCode.OK) status = await call.StatusAsync();
        if (status.StatusCode != StatusCode.OK && lines > 0 && !http.RequestAborted.IsCancellationRequested)
            await sendLine(Line("error", json => GatewayStatus.Write(json, status)));
        return status;
    }

    /// <summary>Whoever sends nonsense ends the stream.</summary>
    static async Task<Status> SendAsync(InnerCall call, GatewayRequests requests, IMessage? first, CancellationToken ended)
    {
        try
        {
            var status = await requests.SendAsync(call, first, ended);
            if (status.StatusCode != StatusCode.OK) call.Abort();
            return status;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return Status.DefaultSuccess; // The call has ended first.
        }
        catch (IOException exception)
        {
            call.Abort();
            return new(StatusCode.Cancelled, exception.Message);
        }
    }

    ReadOnlyMemory<byte> Line(string name, Action<Utf8JsonWriter> write)
    {
        line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(line, MessageWriter.Options))
        {
            json.WriteStartObject();
            json.WritePropertyName(name);
            write(json);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        return line.WrittenMemory;
    }
}
