using System.Threading.Channels;
using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>Tells people what happened, as events.k8s.io events on the object that it is about. It never throws and never waits: an event is worth less than a pass.</summary>
sealed class EventRecorder(KubeApi api, string identity, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(5);

    // Full means that the API server is slower than we talk: the oldest news is the least.
    readonly Channel<Eventsv1Event> events = Channel.CreateBounded<Eventsv1Event>(
        new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    readonly Lock gate = new();
    readonly Dictionary<(string Uid, string Reason, string Note), DateTimeOffset> recent = [];

    public void Normal(IKubernetesObject<V1ObjectMeta> about, string reason, string note) => Record(about, "Normal", reason, note);

    public void Warning(IKubernetesObject<V1ObjectMeta> about, string reason, string note) => Record(about, "Warning", reason, note);

    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (var item in events.Reader.ReadAllAsync(cancellation)) await SendAsync(item, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The process ends; what was not sent is lost.
        }
    }

    async Task SendAsync(Eventsv1Event item, CancellationToken cancellation)
    {
        try
        {
            var answer = await api.CreateAsync(item, cancellation);
            if (answer.Error is { } error) Log.EventFailed(log, item.Reason, error.ToString());
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            Log.EventFailed(log, item.Reason, failure.Message);
        }
    }

    void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string note)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            foreach (var (old, at) in recent.ToList())
            {
                if (now - at > Quiet) recent.Remove(old);
            }

            // The same words about the same object within five minutes are no news.
            if (!recent.TryAdd((about.Metadata.Uid, reason, note), now)) return;
        }

        events.Writer.TryWrite(new Eventsv1Event
        {
            ApiVersion = "events.k8s.io/v1",
            Kind = "Event",
            Metadata = new V1ObjectMeta
            {
                Name = $"{about.Metadata.Name}.{Guid.NewGuid():n}",
                NamespaceProperty = about.Metadata.NamespaceProperty,
            },
            EventTime = now.UtcDateTime,
            Type = type,
            Reason = reason,
            Action = "Reconcile",
            Note = note.Length <= 1024 ? note : note[..1021] + "...",
            ReportingController = "storecluster.io/store-operator",
            ReportingInstance = identity,
            Regarding = new V1ObjectReference
            {
                ApiVersion = about.ApiVersion,
                Kind = about.Kind,
                Name = about.Metadata.Name,
                NamespaceProperty = about.Metadata.NamespaceProperty,
                Uid = about.Metadata.Uid,
            },
        });
    }
}
