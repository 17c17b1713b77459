using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// This member's way to the others: one link a member for messages, one connection each for requests and for snapshots. Follows the members that
/// the state tells of.
/// </summary>
sealed class PeerNetwork : IAsyncDisposable
{
    readonly ILogger logger;
    readonly Lock gate = new();
    readonly HashSet<(NodeId, PeerRefusal)> refusalsLogged = [];
    readonly List<Task> retiring = [];
    ImmutableDictionary<NodeId, PeerLink> links = ImmutableDictionary<NodeId, PeerLink>.Empty;
    ImmutableDictionary<NodeId, PeerRequests> requests = ImmutableDictionary<NodeId, PeerRequests>.Empty;
    ClusterView cluster = ClusterView.Empty;
    bool stopped;

    public PeerNetwork(ulong clusterId, NodeId self, IReadOnlyList<string> ownPeerUrls, TlsDialing tls, TimeProvider time, ILogger logger)
    {
        (ClusterId, Self, Time, this.logger) = (clusterId, self, time, logger);
        Dialer = new(clusterId, self, ownPeerUrls, tls);
    }

    public ulong ClusterId { get; }

    public NodeId Self { get; }

    public TimeProvider Time { get; }

    internal PeerDialer Dialer { get; }

    /// <summary>Set once, before the first member is added.</summary>
    public Action<NodeId> Unreachable { get; set; } = _ => { };

    /// <summary>Another member says that this one was removed.</summary>
    public Action ToldRemoved { get; set; } = () => { };

    public ClusterView Cluster => Volatile.Read(ref cluster);

    public bool IsConnected(NodeId id) => links.TryGetValue(id, out var link) && link.IsConnected;

    /// <summary>Members came, went or moved. Links to removed members end a little later, so that they hear of their removal.</summary>
    public void Follow(ClusterView view)
    {
        if (ReferenceEquals(view, Cluster)) return;
        Volatile.Write(ref cluster, view);
        foreach (var member in view.Members.Values)
        {
            if (member.Id != Self) Know(member.Id, member.PeerUrls);
        }
        foreach (var id in links.Keys)
        {
            if (view.Removed.Contains(id)) Retire(id);
        }
    }

    /// <summary>Makes sure that there is a link to the member; also for one that the state does not know yet, because this member lags behind.</summary>
    public void Know(NodeId id, IReadOnlyList<string> urls)
    {
        lock (gate)
        {
            if (stopped || urls.Count == 0 || Cluster.Removed.Contains(id)) return;
            if (links.TryGetValue(id, out var link)) link.Urls = urls;
            else links = links.Add(id, new(this, id, urls));
        }
    }

    public void Send(IReadOnlyList<Message> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            if (links.TryGetValue(messages[i].To, out var link)) link.Add(messages[i]);
        }
        foreach (var link in links.Values) link.Flush();
    }

    /// <summary>Asks the member; null when it cannot be reached or does not answer in time.</summary>
    public Task<PayloadReader?> AskAsync(NodeId id, Action<FrameBuffer> question, TimeSpan timeout, CancellationToken cancellationToken)
    {
        PeerRequests? channel;
        lock (gate)
        {
            if (stopped) return Task.FromResult<PayloadReader?>(null);
            if (!requests.TryGetValue(id, out channel)) requests = requests.Add(id, channel = new(this, id));
        }
        return channel.AskAsync(question, timeout, cancellationToken);
    }

    internal IReadOnlyList<string> UrlsOf(NodeId id) => links.TryGetValue(id, out var link) ? link.Urls : [];

    internal void Connected(NodeId id)
    {
        lock (gate)
        {
            refusalsLogged.RemoveWhere(logged => logged.Item1 == id);
        }
        StoreMetrics.ActivePeers.Add(1, new("Local", Self.ToString()), new("Remote", id.ToString()));
        Log.PeerConnected(logger, id.ToString());
    }

    /// <summary>A connection of which <see cref="Connected"/> was told has ended.</summary>
    internal void Disconnected(NodeId id)
    {
        StoreMetrics.ActivePeers.Add(-1, new("Local", Self.ToString()), new("Remote", id.ToString()));
        StoreMetrics.DisconnectedPeers.Add(1, new("Local", Self.ToString()), new KeyValuePair<string, object?>("Remote", id.ToString()));
        Unreachable(id);
    }

    internal void LostContact(NodeId id, Exception reason)
    {
        StoreMetrics.PeerSentFailures.Add(1, new KeyValuePair<string, object?>("To", id.ToString()));
        Log.PeerLost(logger, id.ToString(), reason.Message);
    }

    /// <summary>Says why once, not at every attempt.</summary>
    internal void Refused(NodeId id, PeerAnswer answer)
    {
        lock (gate)
        {
            if (!refusalsLogged.Add((id, answer.Refusal))) return;
        }
        var reason = answer.Refusal switch
        {
            PeerRefusal.ClusterIdMismatch => $"cluster ID mismatch: it belongs to cluster {answer.ClusterId:x}, this member to {ClusterId:x}; check --initial-cluster-token and the data directory",
            PeerRefusal.UnknownMember => $"unknown member: at that address answers member {answer.Member}; check the peer URLs",
            PeerRefusal.RemovedMember => "removed member: this member was removed from the cluster",
            _ => "it speaks another version of the peer protocol",
        };
        Log.PeerRefused(logger, id.ToString(), reason);
        if (answer.Refusal == PeerRefusal.RemovedMember) ToldRemoved();
    }

    internal static void CountSent(NodeId to, int bytes) => StoreMetrics.PeerSentBytes.Add(bytes, new KeyValuePair<string, object?>("To", to.ToString()));

    internal static void CountRoundTrip(NodeId to, TimeSpan duration) =>
        StoreMetrics.PeerRoundTripSeconds.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("To", to.ToString()));

    void Retire(NodeId id)
    {
        lock (gate)
        {
            if (!links.TryGetValue(id, out var link)) return;
            links = links.Remove(id);
            retiring.Add(RetireAsync(link));
        }
    }

    async Task RetireAsync(PeerLink link)
    {
        await Task.Delay(TimeSpan.FromSeconds(1), Time);
        await link.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            stopped = true;
        }
        foreach (var link in links.Values) await link.DisposeAsync();
        foreach (var channel in requests.Values) await channel.DisposeAsync();
        await Task.WhenAll(retiring);
    }
}
