using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Store.Server;

/// <summary>What the client sends, as messages.</summary>
sealed class GatewayRequests(MethodDescriptor method, JsonValues values, int messageBytesMax)
{
    /// <summary>Nothing at all is an empty message, if the method wants one.</summary>
    public async ValueTask<(IMessage? Request, Status? Problem)> FirstAsync(CancellationToken cancellationToken)
    {
        var (request, problem) = await NextAsync(cancellationToken);
        if (request is null && problem is null && !method.IsClientStreaming) request = method.InputType.Parser.ParseFrom(ByteString.Empty);
        return (request, problem);
    }

    /// <summary>The first, and of a stream each further one as it comes. OK at the end, or what was wrong.</summary>
    public async ValueTask<Status> SendAsync(InnerCall call, IMessage? first, CancellationToken cancellationToken)
    {
        for (var request = first; request is not null;)
        {
            await call.WriteAsync(request);
            // Whatever stands behind the one request of a unary call is passed over, as in etcd.
            if (!method.IsClientStreaming) break;
            (request, var problem) = await NextAsync(cancellationToken);
            if (problem is { } status) return status;
        }

        await call.EndRequestsAsync();
        return Status.DefaultSuccess;
    }

    /// <summary>Neither of them at the end.</summary>
    async ValueTask<(IMessage? Request, Status? Problem)> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var value = await values.NextAsync(cancellationToken);
            if (value is null) return (null, null);
            var request = MessageReader.Read(method.InputType, value.RootElement);
            var size = request.CalculateSize();
            return size <= messageBytesMax ? (request, null) : (null, TooLarge($"({size} vs. {messageBytesMax})"));
        }
        catch (FormatException exception)
        {
            return (null, new Status(StatusCode.InvalidArgument, exception.Message));
        }
        catch (MessageTooLargeException)
        {
            return (null, TooLarge($"({messageBytesMax})"));
        }
    }

    static Status TooLarge(string sizes) => new(StatusCode.ResourceExhausted, "grpc: received message larger than max " + sizes);
}
