using System.Text.Json.Serialization;

namespace Operator.Core;

/// <summary>Typed and closed on purpose: a free list of flags could take a cluster apart, and nobody could validate it.</summary>
[Cel("!has(self.electionTimeoutMs) || self.electionTimeoutMs >= 5 * (has(self.heartbeatIntervalMs) ? self.heartbeatIntervalMs : 100)",
    "server.electionTimeoutMs must be at least five heartbeat intervals, or a late heartbeat deposes the leader")]
[Cel("!has(self.heartbeatIntervalMs) || has(self.electionTimeoutMs) || self.heartbeatIntervalMs <= 200",
    "server.heartbeatIntervalMs above 200 needs an electionTimeoutMs of at least five times as much")]
public sealed record ServerSpec
{
    public const int DefaultHeartbeatIntervalMs = 100;
    public const int DefaultElectionTimeoutMs = 1000;

    [JsonPropertyName("heartbeatIntervalMs")]
    [Doc("Milliseconds between the leader's heartbeats; 100 when absent. About the round trip between members.")]
    [Range(10, 10000)]
    public int? HeartbeatIntervalMs { get; init; }

    [JsonPropertyName("electionTimeoutMs")]
    [Doc("Milliseconds without a heartbeat after which a follower stands for election; 1000 when absent.")]
    [Range(50, 50000)]
    public int? ElectionTimeoutMs { get; init; }

    [JsonPropertyName("quotaBytes")]
    [Doc("Live bytes above which writes are refused with NOSPACE, such as 4Gi; the store's 2Gi when absent. At most four fifths of the volume.")]
    public Quantity? QuotaBytes { get; init; }

    [JsonPropertyName("autoCompaction")]
    [Doc("Old revisions are forgotten by themselves; they are kept for ever when absent.")]
    public AutoCompactionSpec? AutoCompaction { get; init; }

    [JsonPropertyName("snapshotCatchUpEntries")]
    [Doc("Log entries kept for followers that lag; who needs older ones gets a snapshot.")]
    [Range(100, 10000000)]
    public int? SnapshotCatchUpEntries { get; init; }

    [JsonPropertyName("maxRequestBytes")]
    [Doc("Largest request that is accepted, such as 4Mi; the store's 1.5Mi when absent.")]
    public Quantity? MaxRequestBytes { get; init; }

    [JsonPropertyName("maxTxnOps")]
    [Doc("Most operations in one transaction; 128 when absent.")]
    [Range(1, 100000)]
    public int? MaxTxnOps { get; init; }

    [JsonPropertyName("logLevel")]
    [Doc("How much the store logs; Info when absent.")]
    [OneOf("Debug", "Info", "Warn", "Error")]
    public string? LogLevel { get; init; }
}

[Cel("self.mode != 'Revision' || self.retention.matches('^[1-9][0-9]*$')", "server.autoCompaction.retention is a number of revisions in mode Revision, such as 1000")]
[Cel("self.mode != 'Periodic' || self.retention.matches('[smh]$')", "server.autoCompaction.retention is a time in mode Periodic, such as 5m or 1h")]
public sealed record AutoCompactionSpec
{
    public const string Periodic = "Periodic";
    public const string Revision = "Revision";

    [JsonPropertyName("mode")]
    [Doc("Periodic keeps the history of a time, Revision a number of revisions.")]
    [Default(Periodic)]
    [OneOf(Periodic, Revision)]
    public string Mode { get; init; } = Periodic;

    [JsonPropertyName("retention")]
    [Doc("What is kept: a time such as 5m or 1h, or a number of revisions.")]
    [Pattern("^[1-9][0-9]*(s|m|h)?$", MaxLength = 16)]
    public required string Retention { get; init; }
}
