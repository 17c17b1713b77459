using System.Collections.Immutable;
using System.Net;

namespace Store.Server;

public enum InitialClusterState { New, Existing }

/// <summary>A member of the cluster as `--initial-cluster` names it.</summary>
public sealed record InitialMember(string Name, ImmutableArray<string> PeerUrls);

/// <summary>Everything that one member is told at its start. Urls are checked: absolute, http or https, with a port.</summary>
public sealed record ServerOptions
{
    public required string Name { get; init; }
    public required string DataDirectory { get; init; }
    /// <summary>Null: in the data directory.</summary>
    public string? WalDirectory { get; init; }
    public required ImmutableArray<Uri> ListenClientUrls { get; init; }
    public required ImmutableArray<string> AdvertiseClientUrls { get; init; }
    public required ImmutableArray<Uri> ListenPeerUrls { get; init; }
    public required ImmutableArray<string> InitialAdvertisePeerUrls { get; init; }
    /// <summary>Where there are any, plain HTTP is served there alone, and gRPC on the client urls alone.</summary>
    public ImmutableArray<Uri> ListenClientHttpUrls { get; init; } = [];
    public ImmutableArray<Uri> ListenMetricsUrls { get; init; } = [];
    public TlsOptions ClientTls { get; init; } = new() { FlagPrefix = "" };
    public TlsOptions PeerTls { get; init; } = new() { FlagPrefix = "peer-" };
    /// <summary>Connections to other members come from here; null: the system chooses.</summary>
    public IPAddress? PeerLocalAddress { get; init; }
    /// <summary>Other processes may listen on the same ports.</summary>
    public bool SharedPorts { get; init; }
    /// <summary>In name order; always holds this member itself when the state is New.</summary>
    public required ImmutableArray<InitialMember> InitialCluster { get; init; }
    /// <summary>When there is one, <see cref="InitialCluster"/> names this member alone until the others are found.</summary>
    public DiscoveryOptions? Discovery { get; init; }
    public InitialClusterState InitialClusterState { get; init; } = InitialClusterState.New;
    public string InitialClusterToken { get; init; } = "etcd-cluster";
    public int HeartbeatIntervalMs { get; init; } = 100;
    public int ElectionTimeoutMs { get; init; } = 1000;
    public bool InitialElectionTickAdvance { get; init; } = true;
    public bool PreVote { get; init; } = true;
    public bool StrictReconfigCheck { get; init; } = true;
    public int LearnersMax { get; init; } = 1;
    public long SnapshotCount { get; init; } = 10_000;
    public long SnapshotCatchUpEntries { get; init; } = 5_000;
    /// <summary>Zero or less: no quota.</summary>
    public long QuotaBytes { get; init; } = 2L << 30;
    public int TxnOperationsMax { get; init; } = 128;
    public int RequestBytesMax { get; init; } = 1536 * 1024;
    public int StreamsPerConnectionMax { get; init; } = int.MaxValue;
    /// <summary>Infinite: no pings.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromHours(2);
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);
    public TimeSpan WatchProgressInterval { get; init; } = TimeSpan.FromMinutes(10);
    public AutoCompactionMode AutoCompactionMode { get; init; } = AutoCompactionMode.Off;
    /// <summary>For the periodic mode.</summary>
    public TimeSpan AutoCompactionPeriod { get; init; }
    /// <summary>For the revision mode.</summary>
    public long AutoCompactionRevisions { get; init; }
    public IntegrityOptions Integrity { get; init; } = new();
    /// <summary>Null: none.</summary>
    public TraceOptions? Traces { get; init; }
    public HttpOptions Http { get; init; } = new();
    internal AuthTokenOptions AuthTokens { get; init; } = new();
    public int BcryptCost { get; init; } = 10;
    public bool UnsafeNoSync { get; init; }
    /// <summary>All other members are removed at the start; see <see cref="ForcedCluster"/>.</summary>
    public bool ForceNewCluster { get; init; }
    public LogOptions Log { get; init; } = new();
    /// <summary>What was found odd while the flags were read; one line each.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];
    public TimeSpan ClusterReadyTimeout { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);
    public long ReadResponseBytesMax { get; init; } = 128 << 20;

    /// <summary>How long a request may wait for the cluster: 5 s and two election timeouts, as in etcd.</summary>
    public TimeSpan RequestTimeout => TimeSpan.FromMilliseconds(5000 + 2 * ElectionTimeoutMs);

    /// <summary>Room for a request of the largest size and what wraps it.</summary>
    public int MessageBytesMax => RequestBytesMax + 512 * 1024;
}

public enum AutoCompactionMode { Off, Periodic, Revision }

/// <summary>When everything that members hold is read and compared, beside what they always compare while they run.</summary>
public sealed record IntegrityOptions
{
    public bool AtStart { get; init; }
    /// <summary>Zero: never.</summary>
    public TimeSpan Interval { get; init; }
    /// <summary>How often it is looked whether there was a compaction; zero: never.</summary>
    public TimeSpan AfterCompactionInterval { get; init; }
}

/// <summary>What plain HTTP on the client ports may do.</summary>
public sealed record HttpOptions
{
    public bool Gateway { get; init; } = true;
    /// <summary>"*": all.</summary>
    public ImmutableArray<string> Origins { get; init; } = ["*"];
    /// <summary>"*" or none: all.</summary>
    public ImmutableArray<string> Hosts { get; init; } = ["*"];
}
