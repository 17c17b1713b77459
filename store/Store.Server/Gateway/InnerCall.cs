using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Store.Server;

/// <summary>
/// One gRPC call inside this process: the endpoint of real calls, with its checks and counts, on a request made by hand whose bodies are two pipes. So the
/// gateway has no second way to a service, and none that another check could miss.
/// </summary>
sealed class InnerCall : IHttpResponseBodyFeature, IRequestBodyPipeFeature, IHttpResponseTrailersFeature, IHttpRequestLifetimeFeature, IAsyncDisposable
{
    const int PrefixBytes = 5;

    readonly MethodDescriptor method;
    readonly DefaultHttpContext context;
    readonly CancellationTokenSource aborted;
    // The caller bounds what it writes, and a message must fit whole before anybody reads it.
    readonly Pipe requests = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    readonly Pipe responses = new(new PipeOptions(useSynchronizationContext: false));
    readonly Task running;

    InnerCall(HttpContext outer, RequestDelegate grpc, MethodDescriptor method)
    {
        this.method = method;
        aborted = CancellationTokenSource.CreateLinkedTokenSource(outer.RequestAborted);
        context = new(Features(outer));
        Address(context.Request, outer.Request);
        running = RunAsync(grpc);
    }

    public static InnerCall Start(HttpContext outer, RequestDelegate grpc, MethodDescriptor method) => new(outer, grpc, method);

    /// <summary>Sends one message.</summary>
    public async ValueTask WriteAsync(IMessage request)
    {
        Write(request);
        await requests.Writer.FlushAsync();
    }

    public ValueTask EndRequestsAsync() => requests.Writer.CompleteAsync();

    /// <summary>Null when no more comes; then <see cref="StatusAsync"/> says why.</summary>
    public async ValueTask<IMessage?> ReadAsync()
    {
        while (true)
        {
            var read = await responses.Reader.ReadAsync();
            var buffer = read.Buffer;
            if (TryRead(ref buffer) is { } message)
            {
                responses.Reader.AdvanceTo(buffer.Start);
                return message;
            }

            responses.Reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return null;
        }
    }

    /// <summary>The bytes of the next message; null when no more comes.</summary>
    public async ValueTask<long?> SizeAsync()
    {
        while (true)
        {
            var read = await responses.Reader.ReadAsync();
            var isThere = read.Buffer.Length >= PrefixBytes;
            long? size = isThere ? SizeIn(read.Buffer) : null;
            responses.Reader.AdvanceTo(read.Buffer.Start, isThere ? read.Buffer.Start : read.Buffer.End);
            if (isThere || read.IsCompleted) return size;
        }
    }

    /// <summary>Hands the next message on while it comes. False when the service has broken off.</summary>
    public async ValueTask<bool> CopyAsync(LargeResponse response, CancellationToken cancellationToken)
    {
        var read = await responses.Reader.ReadAsync(cancellationToken);
        responses.Reader.AdvanceTo(read.Buffer.GetPosition(PrefixBytes));
        response.Begin();
        while (!response.IsComplete)
        {
            read = await responses.Reader.ReadAsync(cancellationToken);
            var rest = await response.TakeAsync(read.Buffer, cancellationToken);
            responses.Reader.AdvanceTo(rest.Start, read.Buffer.End);
            if (read.IsCompleted && !response.IsComplete) return false;
        }

        await response.EndAsync(cancellationToken);
        return true;
    }

    /// <summary>When the call has ended.</summary>
    public async Task<Status> StatusAsync()
    {
        await running;
        var code = Trailers["grpc-status"].ToString() is { Length: > 0 } trailer ? trailer : context.Response.Headers["grpc-status"].ToString();
        var text = Trailers["grpc-message"].ToString() is { Length: > 0 } detail ? detail : context.Response.Headers["grpc-message"].ToString();
        return int.TryParse(code, out var number) ? new((StatusCode)number, Uri.UnescapeDataString(text)) : new(StatusCode.Cancelled, "the call was cut short");
    }

    /// <summary>As a client that has gone.</summary>
    public void Abort() => aborted.Cancel();

    public async ValueTask DisposeAsync()
    {
        Abort();
        await requests.Writer.CompleteAsync();
        await responses.Reader.CompleteAsync();
        await running;
        aborted.Dispose();
    }

    async Task RunAsync(RequestDelegate grpc)
    {
        try
        {
            await grpc(context);
        }
        catch (Exception) when (aborted.IsCancellationRequested)
        {
            // Whoever asked has gone.
        }
        finally
        {
            await responses.Writer.CompleteAsync();
            await requests.Reader.CompleteAsync();
        }
    }

    FeatureCollection Features(HttpContext outer)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IServiceProvidersFeature>(new ServiceProvidersFeature { RequestServices = outer.RequestServices });
        features.Set<IHttpConnectionFeature>(outer.Features.Get<IHttpConnectionFeature>());
        features.Set<IHttpResponseBodyFeature>(this);
        features.Set<IRequestBodyPipeFeature>(this);
        features.Set<IHttpResponseTrailersFeature>(this);
        features.Set<IHttpRequestLifetimeFeature>(this);
        return features;
    }

    /// <summary>
    /// Metadata comes from headers as grpc-gateway takes them: `Authorization` by its name and whatever starts with `Grpc-Metadata-`. A certificate does not come
    /// along: to etcd the gateway is nobody's certificate either (contract 1.10).
    /// </summary>
    void Address(HttpRequest request, HttpRequest outer)
    {
        const string Metadata = "Grpc-Metadata-";
        request.Method = HttpMethods.Post;
        request.Protocol = HttpProtocol.Http2;
        request.Scheme = outer.Scheme;
        request.Host = outer.Host;
        request.Path = $"/{method.Service.FullName}/{method.Name}";
        request.ContentType = "application/grpc";
        request.Headers.TE = "trailers";
        foreach (var (name, value) in outer.Headers)
        {
            if (name.StartsWith(Metadata, StringComparison.OrdinalIgnoreCase) && name.Length > Metadata.Length)
                request.Headers[name[Metadata.Length..].ToLowerInvariant()] = value;
        }

        // Also an empty one: to etcd that is a token, and a wrong one.
        if (outer.Headers.Authorization is [var token, ..]) request.Headers.Authorization = token ?? "";
    }

    void Write(IMessage request)
    {
        var size = request.CalculateSize();
        var span = requests.Writer.GetSpan(PrefixBytes);
        span[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)size);
        requests.Writer.Advance(PrefixBytes);
        request.WriteTo((IBufferWriter<byte>)requests.Writer);
    }

    IMessage? TryRead(ref ReadOnlySequence<byte> buffer)
    {
        if (buffer.Length < PrefixBytes) return null;
        var size = SizeIn(buffer);
        if (buffer.Length < PrefixBytes + size) return null;
        var message = method.OutputType.Parser.ParseFrom(buffer.Slice(PrefixBytes, size));
        buffer = buffer.Slice(PrefixBytes + size);
        return message;
    }

    static uint SizeIn(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        return BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
    }

    PipeReader IRequestBodyPipeFeature.Reader => requests.Reader;

    Stream IHttpResponseBodyFeature.Stream => responses.Writer.AsStream();

    PipeWriter IHttpResponseBodyFeature.Writer => responses.Writer;

    public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => aborted.Token;
        set => throw new NotSupportedException("a call inside the process ends with the request that it is made for");
    }

    void IHttpResponseBodyFeature.DisableBuffering() { }

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHttpResponseBodyFeature.CompleteAsync() => responses.Writer.CompleteAsync().AsTask();

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        throw new NotSupportedException("gRPC sends no files");
}
