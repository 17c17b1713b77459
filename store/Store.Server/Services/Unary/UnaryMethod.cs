using System.Buffers;
using Google.Protobuf;

namespace Store.Server;

/// <summary>One unary RPC: how to read its request and what answers it.</summary>
abstract class UnaryMethod(string path)
{
    /// <summary>"/etcdserverpb.KV/Put".</summary>
    public string Path => path;

    public GrpcMetrics Metrics { get; } = GrpcMetrics.Of(path) ?? throw new ArgumentException($"{path} is no method of etcd's services", nameof(path));

    /// <summary>The message is read before the first await: its memory may be reused when this returns.</summary>
    /// <exception cref="InvalidProtocolBufferException">The bytes are no such message.</exception>
    public abstract ValueTask<Answer> CallAsync(ReadOnlySequence<byte> message, Caller caller);

    public static UnaryMethod Of<TRequest>(string service, string name, MessageParser<TRequest> parser, Func<TRequest, Caller, ValueTask<Answer>> handler)
        where TRequest : IMessage<TRequest> =>
        At($"/etcdserverpb.{service}/{name}", parser, handler);

    /// <summary>For services outside etcd's main package.</summary>
    public static UnaryMethod At<TRequest>(string path, MessageParser<TRequest> parser, Func<TRequest, Caller, ValueTask<Answer>> handler)
        where TRequest : IMessage<TRequest> =>
        new Typed<TRequest>(path, parser, handler);

    /// <summary>For a handler that reads the message by itself.</summary>
    public static UnaryMethod Of(string service, string name, Func<ReadOnlySequence<byte>, Caller, ValueTask<Answer>> handler) =>
        new Raw($"/etcdserverpb.{service}/{name}", handler);

    sealed class Raw(string path, Func<ReadOnlySequence<byte>, Caller, ValueTask<Answer>> handler) : UnaryMethod(path)
    {
        public override ValueTask<Answer> CallAsync(ReadOnlySequence<byte> message, Caller caller) => handler(message, caller);
    }

    sealed class Typed<TRequest>(string path, MessageParser<TRequest> parser, Func<TRequest, Caller, ValueTask<Answer>> handler) : UnaryMethod(path)
        where TRequest : IMessage<TRequest>
    {
        public override ValueTask<Answer> CallAsync(ReadOnlySequence<byte> message, Caller caller) => handler(parser.ParseFrom(message), caller);
    }
}
