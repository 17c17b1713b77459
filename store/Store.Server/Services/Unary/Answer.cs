using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>What a unary handler came to: an error of the store, a message, or the rows of a range. Errors are values: on .NET an exception costs more than a Put.</summary>
readonly struct Answer
{
    readonly IMessage? message;
    readonly RangeAnswer? range;

    readonly string? refusal;

    Answer(StoreError error, IMessage? message, RangeAnswer? range, string? refusal = null)
    {
        this.refusal = refusal;
        Error = error;
        this.message = message;
        this.range = range;
    }

    public StoreError Error { get; }

    /// <summary>The call has failed: either with an error of the store or with a text of its own.</summary>
    public bool Failed => Error != StoreError.None || Refused;

    public bool Refused => refusal is not null;

    public Status Status => refusal is null ? StatusMapping.ToStatus(Error) : new(StatusCode.Unknown, refusal);

    /// <summary>Null for an error and for a range.</summary>
    public IMessage? Message => message;

    /// <summary>Of the encoded message; zero for an error.</summary>
    public long SizeBytes => message?.CalculateSize() ?? range?.SizeBytes ?? 0;

    public static Answer Of(IMessage message) => new(StoreError.None, message, null);

    public static Answer Of(RangeAnswer range) => new(StoreError.None, null, range);

    /// <summary>For what is no error of the store: etcd gives such texts the code Unknown.</summary>
    public static Answer Refuse(string text) => new(StoreError.None, null, null, text);

    public static implicit operator Answer(StoreError error) => new(error, null, null);

    /// <summary>Writes the encoded message; only a large range waits for the client on the way.</summary>
    public ValueTask WriteAsync(PipeWriter writer)
    {
        if (range is not null) return range.WriteAsync(writer);
        message!.WriteTo((IBufferWriter<byte>)writer);
        return default;
    }

    /// <summary>Gives back what the answer holds; called once it is on its way.</summary>
    public void Release() => range?.Release();
}

/// <summary>Who calls, lazily: making a cancellation token costs, and most requests end before they could be cancelled.</summary>
/// <param name="credentials">As the door has established them; nobody's while authentication is off.</param>
readonly struct Caller(Microsoft.AspNetCore.Http.HttpContext http, Credentials credentials = default)
{
    public Microsoft.AspNetCore.Http.HttpContext Http => http;

    public CancellationToken Aborted => http.RequestAborted;

    public bool IsNobody => credentials.IsNobody;

    /// <summary>Writes into the command who asks, to be checked again when it is applied.</summary>
    public void Sign(Command command)
    {
        if (credentials.IsNobody) return;
        command.Username = credentials.User;
        command.AuthRevision = credentials.Revision;
    }
}
