using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// What ends a stream unexpectedly, in the words of etcd's gRPC: a message that cannot be read is the client's mistake, answered and not logged; anything else is
/// ours and logged as a whole.
/// </summary>
sealed class StreamFaults(ILoggerFactory logging) : Interceptor
{
    /// <summary>Of a message on a stream, as etcd's gRPC has it; unary calls say it in other words.</summary>
    public const string IllegibleText = "grpc: failed to unmarshal the received message: ";

    readonly ILogger logger = logging.CreateLogger("Store.Requests");

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(request, responseStream, context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(new Legible<TRequest>(requestStream), responseStream, context));

    async Task GuardAsync(ServerCallContext context, Func<Task> stream)
    {
        try
        {
            await stream();
        }
        catch (Exception exception) when (exception is not (RpcException or OperationCanceledException or IOException) && !context.CancellationToken.IsCancellationRequested)
        {
            Log.RequestFailed(logger, context.Method, exception);
            throw new RpcException(new(StatusCode.Unknown, exception.Message));
        }
    }

    /// <summary>What the client has sent, or its mistake as an answer: bytes that are no message, or a frame with a flag that there is not.</summary>
    sealed class Legible<T>(IAsyncStreamReader<T> requests) : IAsyncStreamReader<T>
    {
        public T Current => requests.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                return await requests.MoveNext(cancellationToken);
            }
            catch (InvalidProtocolBufferException exception)
            {
                throw new RpcException(new(StatusCode.Internal, IllegibleText + exception.Message));
            }
            catch (InvalidDataException exception)
            {
                throw new RpcException(new(StatusCode.Internal, "grpc: received an unreadable message: " + exception.Message));
            }
        }
    }
}
