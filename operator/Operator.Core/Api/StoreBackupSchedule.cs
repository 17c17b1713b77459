using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Makes a StoreBackup at each time that its schedule names, and deletes those that are old.</summary>
[Resource("storecluster.io", "v1alpha1", "StoreBackupSchedule", "storebackupschedules", ShortNames = ["stbs"])]
[Doc("StoreBackupSchedule has full backups of a StoreCluster taken at the times of a cron expression, each as a StoreBackup.")]
[PrinterColumn("Cluster", "string", ".spec.cluster", Description = "The StoreCluster")]
[PrinterColumn("Schedule", "string", ".spec.schedule", Description = "The cron expression")]
[PrinterColumn("Zone", "string", ".spec.timeZone", Description = "Where its hours are told")]
[PrinterColumn("Scheduled", "string", ".status.conditions[?(@.type=='Scheduled')].status", Description = "Whether there will be more")]
[PrinterColumn("Last", "date", ".status.lastScheduleTime", Description = "The last time that a StoreBackup was made for")]
[PrinterColumn("Succeeded", "date", ".status.lastSuccessfulTime", Description = "When the last one succeeded")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Message", "string", ".status.conditions[?(@.type=='Scheduled')].message", Description = "What comes next, or what is wrong", Priority = 1)]
public sealed record StoreBackupSchedule : IKubernetesObject<V1ObjectMeta>
{
    public const string KindText = "StoreBackupSchedule";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = StoreCluster.ApiVersionText;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KindText;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    [Doc("What is wanted.")]
    public required StoreBackupScheduleSpec Spec { get; init; }

    [JsonPropertyName("status")]
    [Doc("What became of it.")]
    public StoreBackupScheduleStatus? Status { get; init; }
}

public sealed record StoreBackupScheduleSpec
{
    public const string Forbid = "Forbid";

    [JsonPropertyName("cluster")]
    [Doc("Name of the StoreCluster, in the same namespace. It has to have spec.backup, which says where backups go.")]
    [Pattern(Patterns.ClusterName, MaxLength = 40)]
    public required string Cluster { get; init; }

    [JsonPropertyName("schedule")]
    [Doc("Minute, hour, day of month, month and day of week, such as 0 2 * * *, or a word such as @daily. Where both days are limited, both have to fit.")]
    [Pattern("^[-0-9A-Za-z*,/?#@ ]+$", MaxLength = 100)]
    public required string Schedule { get; init; }

    [JsonPropertyName("timeZone")]
    [Doc("Where the schedule's hours are told, by its IANA name, such as Europe/Lisbon. An hour that daylight saving skips is made up for at its end, and one that comes twice counts once.")]
    [Default("UTC")]
    [Pattern("^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", MaxLength = 64)]
    public string TimeZone { get; init; } = "UTC";

    [JsonPropertyName("suspend")]
    [Doc("No StoreBackup is made while it is set, nor afterwards for the times in between. Those under way go on.")]
    [Default(false)]
    public bool Suspend { get; init; }

    [JsonPropertyName("immediate")]
    [Doc("The first StoreBackup is made at once, and not only at the schedule's first time.")]
    [Default(false)]
    public bool Immediate { get; init; }

    [JsonPropertyName("concurrencyPolicy")]
    [Doc("Forbid: a time is skipped while the StoreBackup before it is still under way. There is no other policy, for an agent takes one backup at a time.")]
    [Default(Forbid)]
    [OneOf(Forbid)]
    public string ConcurrencyPolicy { get; init; } = Forbid;

    [JsonPropertyName("startingDeadlineSeconds")]
    [Doc("A time that was missed by more than so many seconds, as when no operator ran, is skipped. Of several missed ones only the last is made up for, however late it is when this is absent.")]
    [Range(10, 31536000)]
    public int? StartingDeadlineSeconds { get; init; }

    [JsonPropertyName("historyLimit")]
    [Doc("How many StoreBackups that ended are kept. At the location nothing is removed with them: that is spec.backup.retention of the StoreCluster.")]
    [Default("{}")]
    public BackupHistorySpec HistoryLimit { get; init; } = new();

    [JsonPropertyName("timeoutSeconds")]
    [Doc("After so many seconds a StoreBackup has failed.")]
    [Default(3600)]
    [Range(60, 604800)]
    public int TimeoutSeconds { get; init; } = 3600;
}

public sealed record BackupHistorySpec
{
    [JsonPropertyName("succeeded")]
    [Doc("Of those that succeeded, the last so many.")]
    [Default(5)]
    [Range(0, 1000)]
    public int Succeeded { get; init; } = 5;

    [JsonPropertyName("failed")]
    [Doc("Of those that failed, the last so many.")]
    [Default(5)]
    [Range(0, 1000)]
    public int Failed { get; init; } = 5;
}

public sealed record StoreBackupScheduleStatus
{
    [JsonPropertyName("observedGeneration")]
    [Doc("The spec's generation that this status answers to.")]
    public long? ObservedGeneration { get; init; }

    [JsonPropertyName("inForce")]
    [Doc("The schedule and zone that times are counted by; absent while it is suspended.")]
    public string? InForce { get; init; }

    [JsonPropertyName("settledUntil")]
    [Doc("Times up to this one are settled: a StoreBackup was made, or the time was skipped, or the schedule was not in force.")]
    public DateTime? SettledUntil { get; init; }

    [JsonPropertyName("lastScheduleTime")]
    [Doc("The last time that a StoreBackup was made for.")]
    public DateTime? LastScheduleTime { get; init; }

    [JsonPropertyName("nextScheduleTime")]
    [Doc("The next time that one is to be made for.")]
    public DateTime? NextScheduleTime { get; init; }

    [JsonPropertyName("lastSuccessfulTime")]
    [Doc("When the last one that succeeded was seen to have.")]
    public DateTime? LastSuccessfulTime { get; init; }

    [JsonPropertyName("active")]
    [Doc("Names of those that are under way.")]
    public IReadOnlyList<string>? Active { get; init; }

    [JsonPropertyName("conditions")]
    [Doc("Scheduled: True while there will be more. The message says what comes next, what was skipped, or what is wrong.")]
    [ListMap("type")]
    public IReadOnlyList<V1Condition>? Conditions { get; init; }
}
