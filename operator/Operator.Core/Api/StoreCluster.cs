using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>A replicated store: what the user wants, and what the operator sees. The CRD in crds/ is generated from this class.</summary>
/// <remarks>The short name is stc, as sc is StorageClass everywhere.</remarks>
[Resource("storecluster.io", "v1alpha1", "StoreCluster", "storeclusters", ShortNames = ["stc"])]
[Doc("StoreCluster is an etcd-compatible, Raft-replicated key-value store that the operator forms, heals and scales.")]
[Scale(".spec.replicas", ".status.replicas", ".status.selector")]
[PrinterColumn("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", Description = "Every wanted member serves")]
[PrinterColumn("Status", "string", ".status.phase", Description = "What the cluster is doing")]
[PrinterColumn("Members", "integer", ".status.readyMembers", Description = "Members that serve")]
[PrinterColumn("Desired", "integer", ".spec.replicas", Description = "Members that are wanted")]
[PrinterColumn("Leader", "string", ".status.leader", Description = "The member that leads")]
[PrinterColumn("Version", "string", ".status.version", Description = "The lowest version that runs")]
[PrinterColumn("Blocked", "string", ".status.blocked[0].reason", Description = "Why nothing moves")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Backup", "string", ".status.conditions[?(@.type==\"BackupReady\")].status", Description = "Backups are recent enough", Priority = 1)]
[PrinterColumn("Operation", "string", ".status.operation.kind", Description = "The operation under way", Priority = 1)]
[PrinterColumn("Message", "string", ".status.conditions[?(@.type==\"Ready\")].message", Description = "More on Ready", Priority = 1)]
[Cel("size(self.metadata.name) <= 40", "metadata.name must be at most 40 characters: the names of pods and volumes are made from it")]
[Cel("!self.metadata.name.contains('.')", "metadata.name must not contain a dot: it is a part of DNS names of one label")]
[Cel("!self.metadata.name.endsWith('-peers')", "metadata.name must not end in -peers: another cluster's headless Service could have that name")]
public sealed record StoreCluster : IKubernetesObject<V1ObjectMeta>
{
    public const string ApiVersionText = "storecluster.io/v1alpha1";
    public const string KindText = "StoreCluster";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = ApiVersionText;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KindText;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    [Doc("What is wanted. The operator never writes here.")]
    public StoreClusterSpec Spec { get; init; } = new();

    [JsonPropertyName("status")]
    [Doc("What the operator saw last.")]
    public StoreClusterStatus? Status { get; init; }
}
