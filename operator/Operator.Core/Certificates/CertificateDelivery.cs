namespace Operator.Core;

/// <summary>Brings new certificates to pods that run.</summary>
/// <remarks>
/// A kubelet looks at the Secrets of a pod when it next comes to that pod, which may take it more than a minute, and a rotation waits for it once a phase. It comes to a pod at once when
/// the pod itself changes. So a member that was <em>seen</em> to show or to trust something old gets an annotation, once for each content of its Secrets. Nothing is restarted by it;
/// where a kubelet takes no notice, it comes in its own time as before.
/// </remarks>
static class CertificateDelivery
{
    /// <summary>Null when nobody was seen with something old, or has been asked already.</summary>
    public static Decision.Act? Hasten(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        foreach (var member in diagnosis.Members)
        {
            if (member is not { Pod.Metadata: { DeletionTimestamp: null } pod } || !view.Spec.WithTls().Any(side => IsBehind(view, member.Name, side))) continue;
            if (Contents(view, member.Name) is { } contents && pod.Annotations?.Contains(KeyValuePair.Create(Annotations.Certificates, contents)) != true)
                return new Decision.Act(new Step.RefreshPod(pod.Name, pod.Uid, contents));
        }

        return null;
    }

    /// <summary>A handshake of this pass told of another certificate than the Secret's, or refused one of an authority that the Secret trusts.</summary>
    static bool IsBehind(ClusterView view, MemberName member, TlsSide side)
    {
        if (view.Handshakes.GetValueOrDefault((member, side)) is not { Serial: { } shown } handshake) return false;
        var announcing = view.Status.Tls?.Of(side)?.Rotation?.Phase == RotationStatus.Announcing && Authority.Read(view.Secret(CertificateNames.Authority(view.Name, side)))?.Next is not null;
        return announcing
            ? !handshake.AcceptsNext
            : Certificate.Read(view.Shown(member, side), CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is { } leaf && leaf.Serial != shown;
    }

    /// <summary>Null while a Secret is missing: a kubelet could bring nothing.</summary>
    static string? Contents(ClusterView view, MemberName member)
    {
        var secrets = view.Spec.WithTls().Select(side => view.Shown(member, side)).ToList();
        return secrets.Contains(null) ? null : Fingerprint.Of(string.Join('\n', secrets.Select(secret => OwnedSecret.Text(secret, CertificateSecret.CertificateEntry) + OwnedSecret.Text(secret, CertificateSecret.AuthorityEntry))));
    }
}
