using System.Text.Json.Serialization;
using k8s.Models;

namespace Operator.Core;

public sealed record StoreClusterStatus
{
    [JsonPropertyName("observedGeneration")]
    [Doc("The spec's generation that this status answers to.")]
    public long? ObservedGeneration { get; init; }

    [JsonPropertyName("observedAt")]
    [Doc("When the members' numbers (lag, bytes) were taken. Numbers alone are written at most every 30 seconds.")]
    public DateTime? ObservedAt { get; init; }

    [JsonPropertyName("phase")]
    [Doc("One word for people: Pending, Forming, Restoring, Running, Scaling, Updating, RolledBack, Degraded, Unavailable, Paused, Invalid or Deleting. Programs read conditions.")]
    public string? Phase { get; init; }

    [JsonPropertyName("clusterToken")]
    [Doc("Random name of this incarnation of the cluster, minted once, before its first object is made.")]
    public string? ClusterToken { get; init; }

    [JsonPropertyName("bootstrap")]
    [Doc("Names what the cluster begins with, latched with its token; absent when it begins empty.")]
    public string? Bootstrap { get; init; }

    [JsonPropertyName("restore")]
    [Doc("What spec.bootstrap.restore.backup named when the cluster began, or what a StoreRestore took it back to, latched with its token.")]
    public RestoreSpec? Restore { get; init; }

    [JsonPropertyName("epoch")]
    [Doc("How often the cluster has begun: 1 when absent, and one more with each StoreRestore.")]
    public int? Epoch { get; init; }

    [JsonPropertyName("restoration")]
    [Doc("The StoreRestore that the present epoch began with; absent in the first one.")]
    public RestorationStatus? Restoration { get; init; }

    [JsonPropertyName("clusterId")]
    [Doc("The store's own cluster id (hexadecimal), latched when the cluster formed. Members with another id are refused.")]
    public string? ClusterId { get; init; }

    [JsonPropertyName("formedAt")]
    [Doc("When the first member formed the cluster. From then on no member may ever form one again.")]
    public DateTime? FormedAt { get; init; }

    [JsonPropertyName("memberHighWater")]
    [Doc("The highest member number ever given away. Numbers are never used twice.")]
    public int? MemberHighWater { get; init; }

    [JsonPropertyName("replicas")]
    [Doc("Members that exist, for the scale subresource.")]
    public int? Replicas { get; init; }

    [JsonPropertyName("selector")]
    [Doc("Label selector of the members' pods, for the scale subresource.")]
    public string? Selector { get; init; }

    [JsonPropertyName("readyMembers")]
    [Doc("Voting members that serve.")]
    public int? ReadyMembers { get; init; }

    [JsonPropertyName("voters")]
    [Doc("Members that vote, by the store's own list when it was last read.")]
    public int? Voters { get; init; }

    [JsonPropertyName("learners")]
    [Doc("Members that receive the log and do not vote yet.")]
    public int? Learners { get; init; }

    [JsonPropertyName("term")]
    [Doc("Raft's term: it grows with each election.")]
    public long? Term { get; init; }

    [JsonPropertyName("leader")]
    [Doc("Name of the member that leads; absent when none is known.")]
    public string? Leader { get; init; }

    [JsonPropertyName("version")]
    [Doc("The lowest version that a member reports.")]
    public string? Version { get; init; }

    [JsonPropertyName("members")]
    [Doc("The members one by one.")]
    [ListMap("name")]
    public IReadOnlyList<MemberStatus>? Members { get; init; }

    [JsonPropertyName("operation")]
    [Doc("The change of membership under way. It is written here before its first effect, so that a new operator pod goes on where the last one stopped.")]
    public OperationStatus? Operation { get; init; }

    [JsonPropertyName("update")]
    [Doc("What spec.update.onFailure: Rollback goes back to.")]
    public UpdateStatus? Update { get; init; }

    [JsonPropertyName("auth")]
    [Doc("There while the operator keeps authentication on, or has yet to turn it off.")]
    public AuthStatus? Auth { get; init; }

    [JsonPropertyName("tls")]
    [Doc("What is encrypted, and the certificates.")]
    public TlsStatus? Tls { get; init; }

    [JsonPropertyName("backup")]
    [Doc("The backups, as the agents found them.")]
    public BackupStatus? Backup { get; init; }

    [JsonPropertyName("blocked")]
    [Doc("What the operator would do but may not yet, and why.")]
    public IReadOnlyList<BlockedStatus>? Blocked { get; init; }

    [JsonPropertyName("conditions")]
    [Doc("Ready, Available, Progressing, Degraded, QuorumHealthy, AllMembersReady, MembersUpdated, IdentityConsistent, TopologySatisfied, StorageHealthy, AuthReady, Reconciled and Paused; CertificatesReady with spec.tls, BackupReady with spec.backup, Restored with spec.bootstrap.restore and after a StoreRestore.")]
    [ListMap("type")]
    public IReadOnlyList<V1Condition>? Conditions { get; init; }
}

public sealed record MemberStatus
{
    [JsonPropertyName("name")]
    [Doc("Name of the member and of its StatefulSet.")]
    public required string Name { get; init; }

    [JsonPropertyName("memberId")]
    [Doc("The store's member id (hexadecimal); absent until it has joined.")]
    public string? MemberId { get; init; }

    [JsonPropertyName("role")]
    [Doc("Voter or Learner; absent until it has joined.")]
    public string? Role { get; init; }

    [JsonPropertyName("state")]
    [Doc("Ready, Starting, NotReady, Failed, Missing or Leaving.")]
    public required string State { get; init; }

    [JsonPropertyName("pod")]
    [Doc("Name of its pod.")]
    public string? Pod { get; init; }

    [JsonPropertyName("node")]
    [Doc("Node that the pod runs on.")]
    public string? Node { get; init; }

    [JsonPropertyName("zone")]
    [Doc("Zone of that node, where Kubernetes tells it by a label of the pod (spec.topology.zones.key).")]
    public string? Zone { get; init; }

    [JsonPropertyName("claim")]
    [Doc("Its volume claim.")]
    public string? Claim { get; init; }

    [JsonPropertyName("restarts")]
    [Doc("How often the store was started again in this pod.")]
    public int? Restarts { get; init; }

    [JsonPropertyName("version")]
    [Doc("Version that the member reports.")]
    public string? Version { get; init; }

    [JsonPropertyName("reason")]
    [Doc("Why it is not Ready, in one word.")]
    public string? Reason { get; init; }

    [JsonPropertyName("message")]
    [Doc("Why it is not Ready, in a sentence.")]
    public string? Message { get; init; }

    [JsonPropertyName("lagEntries")]
    [Doc("Entries of the log that the leader has and this member has not applied.")]
    public long? LagEntries { get; init; }

    [JsonPropertyName("dbBytes")]
    [Doc("Bytes of its database on disk.")]
    public long? DbBytes { get; init; }

    [JsonPropertyName("dbInUseBytes")]
    [Doc("Bytes of them that hold live data.")]
    public long? DbInUseBytes { get; init; }
}

public sealed record OperationStatus
{
    [JsonPropertyName("id")]
    [Doc("Identifies the operation; the same one never starts twice.")]
    public required string Id { get; init; }

    [JsonPropertyName("kind")]
    [Doc("FormCluster, AddMember or RemoveMember.")]
    public required string Kind { get; init; }

    [JsonPropertyName("member")]
    [Doc("The member it is about.")]
    public required string Member { get; init; }

    [JsonPropertyName("startedAt")]
    [Doc("When it began.")]
    public DateTime? StartedAt { get; init; }
}

public sealed record UpdateStatus
{
    [JsonPropertyName("stable")]
    [Doc("Names the last template from which all members served.")]
    public string? Stable { get; init; }

    [JsonPropertyName("stableImage")]
    [Doc("Its image.")]
    public string? StableImage { get; init; }

    [JsonPropertyName("stableSpec")]
    [Doc("The spec that it was made from, as JSON.")]
    public string? StableSpec { get; init; }

    [JsonPropertyName("failed")]
    [Doc("Names the template that was rolled back. It is not tried again; a changed spec is.")]
    public string? Failed { get; init; }

    [JsonPropertyName("message")]
    [Doc("Why it was rolled back.")]
    public string? Message { get; init; }
}

public sealed record BlockedStatus
{
    [JsonPropertyName("rule")]
    [Doc("The planner's rule that declined.")]
    public required string Rule { get; init; }

    [JsonPropertyName("reason")]
    [Doc("Why, in one word.")]
    public required string Reason { get; init; }

    [JsonPropertyName("message")]
    [Doc("Why, in a sentence.")]
    public string? Message { get; init; }
}
