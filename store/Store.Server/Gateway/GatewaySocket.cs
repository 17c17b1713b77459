using System.IO.Pipelines;
using System.Net.WebSockets;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>
/// Streams over a WebSocket, for browsers (contract 1.12): each text message is a request, each response is a text message. A browser cannot set headers, so the
/// token may come as the sub-protocol "Bearer, TOKEN".
/// </summary>
static class GatewaySocket
{
    public static async Task ServeAsync(HttpContext http, GatewayStream stream)
    {
        const string Bearer = "Bearer";
        var protocols = http.WebSockets.WebSocketRequestedProtocols;
        if (protocols is [Bearer, var token]) http.Request.Headers.Authorization = token;
        using var socket = await http.WebSockets.AcceptWebSocketAsync(protocols.Contains(Bearer) ? Bearer : null);
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        http.RequestAborted = closed.Token;
        var incoming = new Pipe();
        var receiving = ReceiveAsync(socket, incoming.Writer, closed);
        var status = await stream.RunAsync(http, new(incoming.Reader, stream.ValueBytesMax), line => SendAsync(socket, line, closed.Token));
        await incoming.Reader.CompleteAsync();
        await CloseAsync(socket, status);
        await closed.CancelAsync();
        await receiving;
    }

    static async Task SendAsync(WebSocket socket, ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        // Without the line's end.
        if (socket.State == WebSocketState.Open) await socket.SendAsync(line[..^1], WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
    }

    /// <summary>Until the client closes, which ends the call.</summary>
    static async Task ReceiveAsync(WebSocket socket, PipeWriter requests, CancellationTokenSource closed)
    {
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(requests.GetMemory(), closed.Token);
                if (received.MessageType == WebSocketMessageType.Close) break;
                requests.Advance(received.Count);
                if ((await requests.FlushAsync(closed.Token)).IsCompleted) break;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // Gone without a word.
        }

        await requests.CompleteAsync();
        await closed.CancelAsync();
    }

    static async Task CloseAsync(WebSocket socket, Status status)
    {
        const int ReasonCharactersMax = 100;
        var reason = status.Detail.Length <= ReasonCharactersMax ? status.Detail : status.Detail[..ReasonCharactersMax];
        var code = status.StatusCode == StatusCode.OK ? WebSocketCloseStatus.NormalClosure : WebSocketCloseStatus.InternalServerError;
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived) await socket.CloseOutputAsync(code, reason, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // Gone meanwhile.
        }
    }
}
