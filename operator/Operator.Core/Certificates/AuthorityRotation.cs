using System.Globalization;

namespace Operator.Core;

/// <summary>Replacing an authority while everybody goes on talking.</summary>
/// <remarks>
/// The story, in phases that go to status before their first effect:
///   1. Announcing: the next authority is made, and every Secret tells to trust both. A member has to be <em>seen</em> to accept a certificate of the next one (a
///      handshake with one, at the port in question), since kubelets take a minute to bring a Secret to a pod; applications are given spec.tls.overlapSeconds.
///   2. Reissuing: the next authority becomes the one in use, and every certificate is signed anew. Each member has to be seen to show its new one; applications
///      are given the same time again.
///   3. Retiring: nobody shows a certificate of the old authority any more, so it is taken out of every Secret.
/// A crash between any two writes resumes where the Secrets and the phase say. A member that does not answer stops the story, and a third of the authority's life is
/// left for it.
/// </remarks>
static class AuthorityRotation
{
    /// <summary>Starts a rotation that is due, or takes one up that status has lost; null when there is nothing to start.</summary>
    public static Decision.Act? Begin(Diagnosis diagnosis, TlsSide side, Authority authority)
    {
        var view = diagnosis.View;
        if (view.Status.Tls?.Of(side) is not { Rotation: null } latched) return null;
        RotationStatus Start(string phase, string replaces, string reason) => new()
        {
            Phase = phase,
            Replaces = replaces,
            Reason = reason,
            Request = view.Spec.Tls!.Rotate,
            StartedAt = view.ObservedAt,
        };

        if (authority.Next is not null) return Journal(side, Start(RotationStatus.Announcing, authority.Current.Key, "it was under way"));
        if (authority.Previous is { } previous) return Journal(side, Start(RotationStatus.Reissuing, previous.Key, "it was under way"));
        var reason = Reason(view, latched, authority.Current);
        return reason is null ? null : Journal(side, Start(RotationStatus.Announcing, authority.Current.Key, reason));
    }

    static string? Reason(ClusterView view, TlsSideStatus latched, Certificate current)
    {
        if (current.KeyPem is null) return "its key is lost";
        if (view.ObservedAt >= current.RenewAt) return "it is old";
        return view.Spec.Tls!.Rotate is { } request && request != latched.Rotated ? $"spec.tls.rotate is \"{request}\"" : null;
    }

    /// <summary>The next thing to do, given that every Secret is as the authority wants it.</summary>
    public static Decision Advance(Diagnosis diagnosis, TlsSide side, Authority authority)
    {
        var view = diagnosis.View;
        if (view.Status.Tls?.Of(side)?.Rotation is not { } rotation) return Decision.NothingToDo;
        var secret = view.Secret(CertificateNames.Authority(view.Name, side))!;
        Decision.Act Write(Authority changed) => new(new Step.Apply(changed.Secret(view.Cluster, side, secret.Metadata.ResourceVersion)));

        // The ids guard against a view of status that is older than the Secret: each write to the Secret belongs to one rotation alone.
        switch (rotation.Phase)
        {
            case RotationStatus.Announcing when authority is { Next: null, Previous: null } && authority.Current.Key == rotation.Replaces:
                return new Decision.Act(new Step.MintAuthority(side, authority, secret.Metadata.ResourceVersion));
            case RotationStatus.Announcing when authority.Next is not null:
                return Untrusting(diagnosis, side) ?? Overlapping(view, side) ?? (Decision)Journal(side, rotation with { Phase = RotationStatus.Reissuing });
            case RotationStatus.Reissuing when authority.Next is { } next && authority.Current.Key == rotation.Replaces:
                return Write(new Authority(next, Next: null, Previous: authority.Current with { KeyPem = null }));
            case RotationStatus.Reissuing when authority.Next is null:
                return NotLoaded(diagnosis, side) ?? Overlapping(view, side) ?? (Decision)Journal(side, rotation with { Phase = RotationStatus.Retiring });
            case RotationStatus.Retiring when authority.Previous?.Key == rotation.Replaces:
                return Write(authority with { Previous = null });
            case RotationStatus.Retiring:
                return new Decision.Act(new Step.FinishRotation(side, rotation.Request));
            default:
                return new Decision.Decline("AuthorityUnclear", $"the Secret of the {side.Word()} authority is ahead of status; looking again");
        }
    }

    /// <summary>A pod that is not there yet will find the Secret as it is.</summary>
    static Decision.Decline? Untrusting(Diagnosis diagnosis, TlsSide side) =>
        diagnosis.Members.FirstOrDefault(member => Counts(member) && diagnosis.View.Handshakes.GetValueOrDefault((member.Name, side)) is not { AcceptsNext: true }) is { } waiting
            ? new Decision.Decline("AuthorityNotTrustedYet", $"{waiting.Name} has yet to accept a certificate of the next {side.Word()} authority; a kubelet takes a minute to bring it to the pod")
            : null;

    static Decision.Decline? NotLoaded(Diagnosis diagnosis, TlsSide side) =>
        diagnosis.Members.FirstOrDefault(member => Counts(member) && !CertificateReport.Loaded(diagnosis.View, member.Name, side)) is { } waiting
            ? new Decision.Decline("CertificateNotLoaded", $"{waiting.Name} has yet to show its new {side.Word()} certificate; a kubelet takes a minute to bring it to the pod")
            : null;

    static bool Counts(MemberVerdict member) => member.Pod is not null && member.Health.State != MemberState.Leaving;

    /// <summary>Applications read their Secret in their own time, and nobody can look into them.</summary>
    static Decision.Decline? Overlapping(ClusterView view, TlsSide side)
    {
        if (side == TlsSide.Peer || view.Secret(CertificateNames.Applications(view.Name)) is not { } secret || CertificateSecret.ChangedAt(secret) is not { } changed) return null;
        var until = changed.AddSeconds(view.Spec.Tls!.OverlapSeconds);
        return view.ObservedAt < until
            ? new Decision.Decline("AuthorityOverlap", string.Create(CultureInfo.InvariantCulture, $"applications have until {until:HH:mm:ss} UTC to read Secret {secret.Metadata.Name}"))
            : null;
    }

    static Decision.Act Journal(TlsSide side, RotationStatus rotation) => new(new Step.Rotate(side, rotation));
}
