using System.Text.Json.Serialization;

namespace Operator.Core;

public sealed record DisruptionSpec
{
    [JsonPropertyName("budget")]
    [Doc("Keep a PodDisruptionBudget that lets no drain take the quorum.")]
    [Default(true)]
    public bool Budget { get; init; } = true;
}

public sealed record UpdateSpec
{
    public const string SafeFirst = "SafeFirst";
    public const string ByNumber = "ByNumber";
    public const string Pause = "Pause";
    public const string Retry = "Retry";
    public const string Rollback = "Rollback";

    [JsonPropertyName("order")]
    [Doc("SafeFirst restarts followers, the youngest first, and the leader last; ByNumber goes from the oldest member to the youngest. A stuck member always comes first.")]
    [Default(SafeFirst)]
    [OneOf(SafeFirst, ByNumber)]
    public string Order { get; init; } = SafeFirst;

    [JsonPropertyName("soakSeconds")]
    [Doc("How long a restarted member must serve before the next is restarted.")]
    [Default(5)]
    [Range(0, 3600)]
    public int SoakSeconds { get; init; } = 5;

    [JsonPropertyName("memberTimeoutSeconds")]
    [Doc("How long a restarted member may take to serve before the update counts as failed.")]
    [Default(600)]
    [Range(30, 86400)]
    public int MemberTimeoutSeconds { get; init; } = 600;

    [JsonPropertyName("onFailure")]
    [Doc("After memberTimeoutSeconds: Pause leaves the member as it is until the spec changes, Retry restarts it, Rollback brings back the last template from which all members served.")]
    [Default(Pause)]
    [OneOf(Pause, Retry, Rollback)]
    public string OnFailure { get; init; } = Pause;
}

public sealed record HealingSpec
{
    [JsonPropertyName("enabled")]
    [Doc("Replace members that are gone. When false, status names them and a person removes them.")]
    [Default(true)]
    public bool Enabled { get; init; } = true;

    [JsonPropertyName("diskLostAfterSeconds")]
    [Doc("How long a member whose disk is empty or lost is left before it is replaced.")]
    [Default(0)]
    [Range(0, 86400)]
    public int DiskLostAfterSeconds { get; init; }

    [JsonPropertyName("nodeLostAfterSeconds")]
    [Doc("How long a member whose node does not come back is left before it is replaced.")]
    [Default(120)]
    [Range(10, 86400)]
    public int NodeLostAfterSeconds { get; init; } = 120;
}
