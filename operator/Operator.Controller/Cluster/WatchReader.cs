using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Operator.Controller;

enum WatchEventKind
{
    Upsert,
    Delete,
    Bookmark,
    Error,
}

/// <summary>One line of a watch. A bookmark has only a resource version, an error only <see cref="Error"/>.</summary>
sealed record WatchEvent<T>(WatchEventKind Kind, T? Object, string? ResourceVersion, ApiError? Error) where T : class;

/// <summary>Reads a watch line by line, and gives up on one that has been silent for too long: a connection whose other end is gone says nothing.</summary>
static class WatchReader
{
    public static async IAsyncEnumerable<WatchEvent<T>> ReadAsync<T>(
        Stream stream, TimeSpan idle, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var reader = PipeReader.Create(stream);
        try
        {
            while (true)
            {
                var result = await ReadWithinAsync(reader, idle, time, cancellation);
                var buffer = result.Buffer;
                while (TryTakeLine(ref buffer, out var line))
                {
                    if (!line.IsEmpty) yield return Parse<T>(line);
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted) yield break;
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    static async ValueTask<ReadResult> ReadWithinAsync(PipeReader reader, TimeSpan idle, TimeProvider time, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(idle, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token);
        try
        {
            return await reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the watch was silent for {idle.TotalSeconds:0} s");
        }
    }

    static bool TryTakeLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        var end = buffer.PositionOf((byte)'\n');
        if (end is null)
        {
            line = default;
            return false;
        }

        line = buffer.Slice(0, end.Value);
        buffer = buffer.Slice(buffer.GetPosition(1, end.Value));
        return true;
    }

    /// <summary>An object that cannot be read comes as an upsert without object: it is skipped, and its resource version is not lost.</summary>
    static WatchEvent<T> Parse<T>(ReadOnlySequence<byte> line) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var document = JsonDocument.Parse(line);
        var item = document.RootElement.GetProperty("object");
        var type = document.RootElement.GetProperty("type").GetString();
        if (type == "ERROR") return Failed<T>(item);
        var version = item.GetProperty("metadata").TryGetProperty("resourceVersion", out var text) ? text.GetString() : null;
        return type switch
        {
            "BOOKMARK" => new WatchEvent<T>(WatchEventKind.Bookmark, null, version, null),
            "DELETED" => new WatchEvent<T>(WatchEventKind.Delete, KubeApi.TryRead<T>(item), version, null),
            _ => new WatchEvent<T>(WatchEventKind.Upsert, KubeApi.TryRead<T>(item), version, null),
        };
    }

    static WatchEvent<T> Failed<T>(JsonElement item) where T : class
    {
        var status = KubernetesJson.Deserialize<V1Status>(item);
        var error = new ApiError((System.Net.HttpStatusCode)(status.Code ?? 500), status.Reason ?? "Error", status.Message ?? "");
        return new WatchEvent<T>(WatchEventKind.Error, null, null, error);
    }
}
