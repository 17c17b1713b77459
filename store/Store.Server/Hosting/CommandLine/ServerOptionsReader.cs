using System.Collections.Immutable;
using System.Net;

namespace Store.Server;

/// <summary>Flags to <see cref="ServerOptions"/>: checks every value and every pair of values that must fit.</summary>
static class ServerOptionsReader
{
    const long QuotaDefaultBytes = 2L << 30;
    const int ElectionTimeoutMaxMs = 50_000;

    /// <summary>Two such requests and an append's other entries fit into one frame between members. etcd takes more, but advises against more than 10 MiB.</summary>
    const int RequestBytesLimit = FrameBuffer.FrameBytesMax / 2;

    /// <summary>Sums of these stay far from overflowing in every unit that timers count in.</summary>
    static readonly TimeSpan LongestPeriod = TimeSpan.FromDays(3650);
    static readonly TimeSpan ShortestPing = TimeSpan.FromSeconds(1);

    public static ServerOptions Read(FlagValues flags)
    {
        if (flags.Has("listen-client-urls") && !flags.Has("advertise-client-urls") && !flags.FromFile)
            throw new FlagException("--advertise-client-urls is required when --listen-client-urls is set explicitly");

        var name = flags.Text("name");
        if (name.Length == 0) throw new FlagException("--name must not be empty");
        var advertised = Urls(flags, "initial-advertise-peer-urls");
        var state = flags.Text("initial-cluster-state") switch
        {
            "new" => InitialClusterState.New,
            "existing" => InitialClusterState.Existing,
            var other => throw new FlagException($"--initial-cluster-state must be 'new' or 'existing', not '{other}'"),
        };
        var cluster = flags.Has("initial-cluster") ? Cluster(flags.Text("initial-cluster")) : [new InitialMember(name, advertised)];
        if (!cluster.Any(m => m.Name == name))
            throw new FlagException($"couldn't find local name \"{name}\" in the initial cluster configuration; add {name}={string.Join(',', advertised)} to --initial-cluster");

        var (heartbeat, election) = Timings(flags);
        var (mode, period, revisions) = Compaction(flags);
        var quota = flags.Number("quota-backend-bytes");
        var (clientTls, peerTls) = (TlsFlags.Clients(flags), TlsFlags.Peers(flags));
        return new()
        {
            Name = name,
            DataDirectory = flags.Text("data-dir") is { Length: > 0 } folder ? folder : name + ".etcd",
            WalDirectory = flags.Text("wal-dir") is { Length: > 0 } wal ? wal : null,
            ListenClientUrls = ListenUrls(flags, "listen-client-urls", clientTls, "client"),
            AdvertiseClientUrls = Urls(flags, "advertise-client-urls"),
            ListenPeerUrls = ListenUrls(flags, "listen-peer-urls", peerTls, "peer"),
            InitialAdvertisePeerUrls = advertised,
            ListenClientHttpUrls = ListenUrls(flags, "listen-client-http-urls", clientTls, "client"),
            ListenMetricsUrls = ListenUrls(flags, "listen-metrics-urls", clientTls, "metrics"),
            ClientTls = clientTls,
            PeerTls = peerTls,
            PeerLocalAddress = NetworkFlags.LocalAddress(flags, advertised),
            SharedPorts = flags.Boolean("socket-reuse-port"),
            InitialCluster = cluster,
            Discovery = DiscoveryFlags.Read(flags),
            InitialClusterState = state,
            InitialClusterToken = flags.Text("initial-cluster-token"),
            HeartbeatIntervalMs = heartbeat,
            ElectionTimeoutMs = election,
            InitialElectionTickAdvance = flags.Boolean("initial-election-tick-advance"),
            PreVote = flags.Boolean("pre-vote"),
            StrictReconfigCheck = flags.Boolean("strict-reconfig-check"),
            LearnersMax = flags.Number(flags.Has("experimental-max-learners") ? "experimental-max-learners" : "max-learners", 1, 1000),
            SnapshotCount = flags.Number("snapshot-count", 1, int.MaxValue),
            SnapshotCatchUpEntries = flags.Number(flags.Has("experimental-snapshot-catchup-entries") ? "experimental-snapshot-catchup-entries" : "snapshot-catchup-entries", 0, int.MaxValue),
            QuotaBytes = quota == 0 ? QuotaDefaultBytes : quota,
            TxnOperationsMax = flags.Number("max-txn-ops", 1, int.MaxValue),
            RequestBytesMax = flags.Number("max-request-bytes", 1, RequestBytesLimit),
            StreamsPerConnectionMax = (int)Math.Clamp(flags.Number("max-concurrent-streams"), 1, int.MaxValue),
            KeepAliveInterval = PingInterval(flags),
            KeepAliveTimeout = PingTime(flags, "grpc-keepalive-timeout", ""),
            WatchProgressInterval = ProgressInterval(flags),
            AutoCompactionMode = mode,
            AutoCompactionPeriod = period,
            AutoCompactionRevisions = revisions,
            Integrity = IntegrityFlags.Read(flags),
            Http = HttpFlags.Read(flags),
            Traces = TraceFlags.Read(flags),
            AuthTokens = AuthTokenFlags.Read(flags),
            BcryptCost = flags.Number("bcrypt-cost", 4, 31),
            UnsafeNoSync = flags.Boolean("unsafe-no-fsync"),
            ForceNewCluster = flags.Boolean("force-new-cluster"),
            Log = LogFlags.Read(flags),
            Notices = [.. flags.Notices],
            ClusterReadyTimeout = flags.Duration("experimental-wait-cluster-ready-timeout"),
            WarmUp = flags.Duration("warmup-duration"),
            ReadResponseBytesMax = Math.Max(flags.Number("read-response-bytes-max"), 1 << 20),
        };
    }

    internal static string OneOf(FlagValues flags, string name, params ReadOnlySpan<string> allowed)
    {
        var value = flags.Text(name);
        return allowed.Contains(value) ? value : throw new FlagException($"--{name} must be one of {string.Join(", ", allowed!)}, not '{value}'");
    }

    static (int HeartbeatMs, int ElectionMs) Timings(FlagValues flags)
    {
        var heartbeat = flags.Number("heartbeat-interval", 1, ElectionTimeoutMaxMs);
        var election = flags.Number("election-timeout", 1, int.MaxValue);
        if (election < 5 * heartbeat)
            throw new FlagException($"--election-timeout[{election}ms] should be at least as 5 times as --heartbeat-interval[{heartbeat}ms]");
        if (election > ElectionTimeoutMaxMs)
            throw new FlagException($"--election-timeout[{election}ms] is too long, and should be set less than {ElectionTimeoutMaxMs}ms");
        return (heartbeat, election);
    }

    static TimeSpan ProgressInterval(FlagValues flags)
    {
        const string old = "experimental-watch-progress-notify-interval";
        var interval = flags.Duration(flags.Has(old) ? old : "watch-progress-notify-interval");
        return interval >= TimeSpan.FromMilliseconds(100)
            ? interval
            : throw new FlagException("--watch-progress-notify-interval must be at least 100ms");
    }

    /// <summary>Zero is off, as in etcd.</summary>
    static TimeSpan PingInterval(FlagValues flags) =>
        flags.Duration("grpc-keepalive-interval") == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : PingTime(flags, "grpc-keepalive-interval", "0s (off) or ");

    /// <summary>The HTTP/2 server does not take less than a second. Rounding up in silence would hide that from whoever counts on less.</summary>
    static TimeSpan PingTime(FlagValues flags, string name, string orElse)
    {
        var time = flags.Duration(name);
        return time >= ShortestPing && time <= LongestPeriod
            ? time
            : throw new FlagException($"--{name} must be {orElse}between 1s and {LongestPeriod.TotalHours:0}h, not {flags.Text(name)}");
    }

    /// <summary>A bare number means hours in the periodic mode, as in etcd.</summary>
    static (AutoCompactionMode Mode, TimeSpan Period, long Revisions) Compaction(FlagValues flags)
    {
        var mode = OneOf(flags, "auto-compaction-mode", "periodic", "revision");
        var text = flags.Text("auto-compaction-retention");
        var number = FlagSyntax.Number(text);
        if (mode == "revision")
        {
            return number switch
            {
                null or < 0 => throw new FlagException($"--auto-compaction-retention must be a number of revisions in the revision mode, not '{text}'"),
                0 => (AutoCompactionMode.Off, default, 0),
                _ => (AutoCompactionMode.Revision, default, number.Value),
            };
        }

        if ((number is { } count ? count : FlagSyntax.Duration(text)?.TotalHours) > LongestPeriod.TotalHours)
            throw new FlagException($"--auto-compaction-retention must be at most {LongestPeriod.TotalHours:0}h (10 years), not '{text}'");
        var period = number is { } hours and >= 0 ? TimeSpan.FromHours(hours) : FlagSyntax.Duration(text);
        if (period is not { Ticks: >= 0 } time) throw new FlagException($"--auto-compaction-retention must be hours or a duration such as 30m, not '{text}'");
        return time == TimeSpan.Zero ? (AutoCompactionMode.Off, default, 0) : (AutoCompactionMode.Periodic, time, 0);
    }

    /// <summary>"a=http://10.0.0.1:2380,b=http://10.0.0.2:2380": a name may come several times, once for each of its urls.</summary>
    static ImmutableArray<InitialMember> Cluster(string text)
    {
        var members = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new FlagException($"--initial-cluster must be name=url,..., '{part}' is not");
            var url = Url("initial-cluster", part[(equals + 1)..]);
            if (members.Values.Any(urls => urls.Contains(url))) throw new FlagException($"--initial-cluster has the duplicate url {url}");
            if (!members.TryGetValue(part[..equals], out var list)) members[part[..equals]] = list = [];
            list.Add(url);
        }

        return [.. members.Select(m => new InitialMember(m.Key, [.. m.Value.Order(StringComparer.Ordinal)]))];
    }

    static ImmutableArray<string> Urls(FlagValues flags, string name)
    {
        ImmutableArray<string> urls = [.. Split(flags.Text(name)).Select(u => Url(name, u)).Order(StringComparer.Ordinal)];
        return urls.IsEmpty ? throw new FlagException($"--{name} must not be empty") : urls;
    }

    static ImmutableArray<Uri> ListenUrls(FlagValues flags, string name, TlsOptions tls, string kind)
    {
        ImmutableArray<Uri> urls = [.. Split(flags.Text(name)).Select(u => new Uri(Url(name, u)))];
        foreach (var url in urls)
            if (!UnixSockets.IsUnix(url.OriginalString) && !IPAddress.TryParse(url.Host.Trim('[', ']'), out _) && url.Host != "localhost")
                throw new FlagException($"expected IP in URL for binding ({url.OriginalString}) in --{name}");
        if (urls.IsEmpty && name is not ("listen-metrics-urls" or "listen-client-http-urls")) throw new FlagException($"--{name} must not be empty");
        TlsFlags.Require(tls, urls, kind);
        return urls;
    }

    static string Url(string flag, string text)
    {
        if (UnixSockets.IsUnix(text) && flag.Contains("client", StringComparison.Ordinal))
            return Uri.TryCreate(text, UriKind.Absolute, out _) ? text : throw new FlagException($"'{text}' in --{flag} is not a URL such as unix:///run/store.sock");
        if (UnixSockets.IsUnix(text)) throw new FlagException($"{text} in --{flag}: unix sockets are for clients alone; use http://");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new FlagException($"'{text}' in --{flag} is not a URL such as http://10.0.0.1:2379");
        if (!text.AsSpan(uri.Scheme.Length + "://".Length).TrimEnd('/').EndsWith($":{uri.Port}"))
            throw new FlagException($"URL address does not have the form \"host:port\": {text} in --{flag}");
        if (uri.AbsolutePath != "/" || text.EndsWith('/'))
            throw new FlagException($"URL must not contain a path: {text} in --{flag}");
        return text;
    }

    static string[] Split(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
