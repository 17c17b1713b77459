using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Everything one pass may decide from: the objects as the caches had them and the members as they answered, at one time.</summary>
public sealed record ClusterView
{
    public required StoreCluster Cluster { get; init; }

    /// <summary>When it was gathered: the only clock that the core has.</summary>
    public required DateTime ObservedAt { get; init; }

    /// <summary>Image for clusters whose spec names none, such as <c>registry.example/store:1.0</c>.</summary>
    public required string DefaultImage { get; init; }

    public IReadOnlyList<V1StatefulSet> StatefulSets { get; init; } = [];
    public IReadOnlyList<V1Pod> Pods { get; init; } = [];
    public IReadOnlyList<V1PersistentVolumeClaim> Claims { get; init; } = [];
    public IReadOnlyList<V1Service> Services { get; init; } = [];
    public IReadOnlyList<V1PodDisruptionBudget> Budgets { get; init; } = [];

    /// <summary>Those with the cluster's label; read only for clusters with TLS.</summary>
    public IReadOnlyList<V1Secret> Secrets { get; init; } = [];

    /// <summary>cert-manager's Certificates with the cluster's label; read only where it signs.</summary>
    public IReadOnlyList<ManagedCertificate> Managed { get; init; } = [];

    /// <summary>Why they could not be read: CertManagerMissing, CertManagerForbidden or CertManagerUnreadable, and a sentence; null when they were.</summary>
    public (string Reason, string Message)? ManagedRefused { get; init; }

    /// <summary>The Secrets that somebody else keeps, people or cert-manager, as far as they exist.</summary>
    public IReadOnlyDictionary<string, V1Secret> Given { get; init; } = new Dictionary<string, V1Secret>();

    /// <summary>Why they could not be read; null when they were.</summary>
    public string? SecretsRefused { get; init; }

    /// <summary>Those that were wanted (<see cref="WantedHandshake"/>) and came about.</summary>
    public IReadOnlyDictionary<(MemberName Member, TlsSide Side), Handshake> Handshakes { get; init; } = new Dictionary<(MemberName, TlsSide), Handshake>();

    /// <summary>Read only while something is on its way for too long.</summary>
    public IReadOnlyList<Complaint> Complaints { get; init; } = [];

    /// <summary>Null when no member could read it linearizably, that is, when there is no quorum or nobody was reached.</summary>
    public Membership? Membership { get; init; }

    /// <summary>By member; those that did not answer are absent.</summary>
    public IReadOnlyDictionary<MemberName, MemberReport> Reports { get; init; } = new Dictionary<MemberName, MemberReport>();

    /// <summary>Of members that answer, but not to somebody whom they do not know: what they say.</summary>
    public IReadOnlyDictionary<MemberName, string> Refusals { get; init; } = new Dictionary<MemberName, string>();

    /// <summary>By member, where there is an agent that answered.</summary>
    public IReadOnlyDictionary<MemberName, AgentReport> Agents { get; init; } = new Dictionary<MemberName, AgentReport>();

    /// <summary>The StoreBackup that spec.bootstrap.restore names; null where there is none.</summary>
    public StoreBackup? RestoreBackup { get; init; }

    /// <summary>The StoreRestore of this cluster that was confirmed and has its safety backup; null where there is none.</summary>
    public StoreRestore? Approved { get; init; }

    /// <summary>Null where authentication is not the operator's concern.</summary>
    public AuthView? Auth { get; init; }

    public string Name => Cluster.Metadata.Name;
    public string Namespace => Cluster.Metadata.NamespaceProperty;
    public StoreClusterSpec Spec => Cluster.Spec;
    public StoreClusterStatus Status => Cluster.Status ?? Empty;
    public bool Formed => Status.FormedAt is not null;
    public int Epoch => Status.Epoch ?? 1;

    /// <summary>Whether it was a member before the last StoreRestore. False for a name that is no member's.</summary>
    public bool IsRetired(MemberName? name) => name is { Number: var number } && number <= Status.Restoration?.RetiredThrough;

    static readonly StoreClusterStatus Empty = new();

    /// <summary>The newest verified recoverable moment, as an agent tells it now, else as status had it. Null without backups.</summary>
    public DateTime? RecoverableUntil => Spec.Backup is null ? null : BackupReport.Newest(this)?.RecoverableTo?.UtcDateTime ?? Status.Backup?.RecoverableUntil;

    /// <summary>The scheme of peer URLs: https or http.</summary>
    public string PeerScheme => Spec.Scheme(TlsSide.Peer);

    /// <summary>Null when it is not there, or is somebody else's.</summary>
    public V1Secret? Secret(string name) => Secrets.FirstOrDefault(secret => secret.Metadata.Name == name && Owns(secret));

    /// <summary>The Secret that a member shows on a side; null when it is not there.</summary>
    public V1Secret? Shown(MemberName member, TlsSide side) => Spec.Issuer(side) switch
    {
        { SecretRefs: { } refs } => Given.GetValueOrDefault(refs.Member.Name),
        _ => Issued(side, CertificateNames.Member(member, side)),
    };

    /// <summary>The Secret that the operator shows to members; null when it is not there.</summary>
    public V1Secret? ShownByOperator => Spec.Issuer(TlsSide.Client) switch
    {
        { SecretRefs: { } refs } => Given.GetValueOrDefault(GivenCertificates.OfOperator(refs)),
        _ => Issued(TlsSide.Client, CertificateNames.Operator(Name)),
    };

    /// <summary>The Secret of a certificate that the operator signed, or had cert-manager sign; null when it is not there.</summary>
    public V1Secret? Issued(TlsSide side, string name) => Spec.Issuer(side) is { CertManager: not null } ? Given.GetValueOrDefault(name) : Secret(name);

    /// <summary>An object of this name that some other owner made is never touched.</summary>
    public bool Owns(IKubernetesObject<V1ObjectMeta> child) =>
        child.Metadata.OwnerReferences?.Any(owner => owner.Controller == true && owner.Uid == Cluster.Metadata.Uid) == true;
}
