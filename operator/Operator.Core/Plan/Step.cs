using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>The one thing a pass changes. Data, not a call: the shell carries it out, and carrying it out twice does no harm.</summary>
public abstract partial record Step
{
    Step()
    {
    }

    /// <summary>Writes to status, compared-and-swapped on the resource version: what has to be known before the first effect.</summary>
    public abstract record Journal : Step
    {
        private protected Journal()
        {
        }

        public abstract StoreClusterStatus Record(StoreClusterStatus status, DateTime now);
    }

    /// <summary>Names the cluster. <see cref="Recovered"/> is set when objects exist that carry a token already; otherwise the shell throws the dice.</summary>
    public sealed record MintToken(string? Recovered) : Step
    {
        /// <summary>Latched with it: how members and clients talk.</summary>
        public TlsStatus? Tls { get; init; }

        /// <inheritdoc cref="StoreClusterStatus.Bootstrap"/>
        public string? Bootstrap { get; init; }

        /// <inheritdoc cref="StoreClusterStatus.Restore"/>
        public RestoreSpec? Restore { get; init; }

        /// <summary>Found with <see cref="Recovered"/>; null in the first one.</summary>
        public int? Epoch { get; init; }
    }

    public sealed record LatchToken(string Token, TlsStatus? Tls, string? Bootstrap, RestoreSpec? Restore) : Journal
    {
        /// <inheritdoc cref="StoreClusterStatus.Epoch"/>
        public int? Epoch { get; init; }

        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) =>
            status with { ClusterToken = Token, Tls = Tls, Bootstrap = Bootstrap, Restore = Restore, Epoch = Epoch };
    }

    /// <summary>Gives up an epoch of the cluster and names the next, of which nothing is there yet.</summary>
    public sealed record BeginRestoration(RestoreSpec Source, RestorationStatus Restoration) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with
        {
            // Random by Kubernetes' word, and never the same twice.
            ClusterToken = Restoration.Uid,
            Epoch = (status.Epoch ?? 1) + 1,
            Restore = Source,
            Restoration = Restoration,
            MemberHighWater = Restoration.RetiredThrough,
            ClusterId = null,
            FormedAt = null,
            Operation = null,
            Members = null,
            Backup = null,
            // Passwords are as old as the backup.
            Auth = status.Auth is { } auth ? auth with { RootSecretVersion = null } : null,
        };
    }

    /// <summary>Writes again what was lost with status after <see cref="BeginRestoration"/>.</summary>
    public sealed record ResumeRestoration(RestoreSpec Source, RestorationStatus Restoration) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with { Restore = Source, Restoration = Restoration };
    }

    /// <summary>Starts the replacement of an authority, or takes it to its next phase.</summary>
    public sealed record Rotate(TlsSide Side, RotationStatus Rotation) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) =>
            status with { Tls = status.Tls!.With(Side, status.Tls.Of(Side)! with { Rotation = Rotation }) };
    }

    /// <param name="Request">The spec.tls.rotate that is answered with it.</param>
    public sealed record FinishRotation(TlsSide Side, string? Request) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) =>
            status with { Tls = status.Tls!.With(Side, status.Tls.Of(Side)! with { Rotation = null, Rotated = Request }) };
    }

    /// <summary>Makes a new authority. The shell throws the dice.</summary>
    /// <param name="Beside">The one that it is to replace; null when it is the first.</param>
    /// <param name="Version">Of the Secret that holds it; null when there is none yet.</param>
    public sealed record MintAuthority(TlsSide Side, Authority? Beside, string? Version) : Step;

    /// <summary>Makes a key and signs a certificate for it.</summary>
    public sealed record IssueCertificate(WantedCertificate Wanted, Authority Authority, string Why) : Step
    {
        /// <summary>Without the keys that it carries.</summary>
        public override string ToString() => $"IssueCertificate {Wanted.Secret}: {Why}";
    }

    /// <summary>Has a pod's kubelet bring what its Secrets hold now: see <see cref="CertificateDelivery"/>.</summary>
    /// <param name="Contents">Their fingerprint, which goes to the pod as an annotation.</param>
    public sealed record RefreshPod(string Pod, string Uid, string Contents) : Step;

    public sealed record DeleteSecret(string Secret, string Uid) : Step;

    /// <summary>One that cert-manager keeps up, of a member that is gone.</summary>
    public sealed record DeleteManagedCertificate(string Certificate, string Uid) : Step;

    public sealed record StartOperation(string Kind, MemberName Member) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with
        {
            Operation = Operations.Start(Kind, Member, now),
            MemberHighWater = Math.Max(status.MemberHighWater ?? 0, Member.Number),
        };
    }

    public sealed record FinishOperation : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with { Operation = null };
    }

    /// <summary>From here on members are made from the stable spec, until the wanted one is another.</summary>
    /// <param name="Failed">Names what could not serve: <see cref="MemberStatefulSet.Render(StoreCluster, string)"/>.</param>
    public sealed record RollBack(string Failed, string Why) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) =>
            status with { Update = status.Update! with { Failed = Failed, Message = Why } };
    }

    public sealed record LatchFormed(string ClusterId) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) =>
            status with { ClusterId = ClusterId, FormedAt = now, Operation = null };
    }

    public sealed record Apply(IKubernetesObject<V1ObjectMeta> Object) : Step;

    public sealed record AddLearner(MemberName Member, string PeerUrl) : Step;

    public sealed record Promote(MemberName Member, ulong Id) : Step;

    public sealed record MoveLeader(MemberName From, MemberName To, ulong ToId) : Step;

    public sealed record RemoveMember(MemberName Member, ulong Id) : Step;

    /// <summary>The uid is a precondition: a pod that came back under the same name in the meantime is left alone.</summary>
    public sealed record DeletePod(string Pod, string Uid, string Why) : Step
    {
        /// <summary>Forget the pod without its kubelet's word. Only ever for a member that is out of the list.</summary>
        public bool Force { get; init; }
    }

    public sealed record DeleteStatefulSet(MemberName Member, string Uid) : Step;

    public sealed record DeleteBudget(string Budget, string Uid) : Step;

    public sealed record DeleteClaim(MemberName Member, string Claim, string Uid) : Step;

    /// <summary>Asks for a larger volume, in place.</summary>
    public sealed record ResizeClaim(string Claim, Quantity Size) : Step;

    /// <summary>Makes the volume claim go when the StoreCluster goes, or stay.</summary>
    public sealed record OwnClaim(string Claim, bool Owned) : Step;
}
