using k8s.Models;

namespace Operator.Core;

/// <summary>TLS as a member's pod says it: Secrets mounted as folders, and the store's flags. The store reads the files at every handshake, so what the kubelet
/// brings later needs no restart.</summary>
static class MemberTls
{
    public static IEnumerable<string> Arguments(StoreClusterSpec spec)
    {
        if (spec.Issuer(TlsSide.Client) is not null)
        {
            var folder = Folder(TlsSide.Client);
            yield return $"--cert-file={folder}/{CertificateSecret.CertificateEntry}";
            yield return $"--key-file={folder}/{CertificateSecret.KeyEntry}";
            if (spec.Tls!.Client!.Mode == ClientTlsSpec.Mutual)
            {
                yield return $"--trusted-ca-file={folder}/{CertificateSecret.AuthorityEntry}";
                yield return "--client-cert-auth";
            }
        }

        if (spec.Issuer(TlsSide.Peer) is not null)
        {
            var folder = Folder(TlsSide.Peer);
            yield return $"--peer-cert-file={folder}/{CertificateSecret.CertificateEntry}";
            yield return $"--peer-key-file={folder}/{CertificateSecret.KeyEntry}";
            yield return $"--peer-trusted-ca-file={folder}/{CertificateSecret.AuthorityEntry}";
            yield return "--peer-client-cert-auth";
            // The peers' authority signs for this cluster's members alone. Where a peer dials from is no second proof: its name takes a while to lead to its new address.
            yield return "--peer-skip-client-san-verification";
        }
    }

    public static IEnumerable<V1VolumeMount> Mounts(StoreClusterSpec spec) => spec.WithTls().SelectMany(side => Mounts(spec, side));

    /// <summary>None where that side is in clear.</summary>
    public static IEnumerable<V1VolumeMount> Mounts(StoreClusterSpec spec, TlsSide side) =>
        spec.WithTls().Where(one => one == side).Select(_ => new V1VolumeMount { Name = Volume(side), MountPath = Folder(side), ReadOnlyProperty = true });

    /// <summary>Of this member alone: where the operator signs, each has keys of its own.</summary>
    public static IEnumerable<V1Volume> Volumes(StoreClusterSpec spec, MemberName member) =>
        spec.WithTls().Where(side => spec.Issuer(side)!.SecretRefs is null).Select(side => Mounted(side, CertificateNames.Member(member, side)));

    /// <summary>The same for all members. Another Secret's name is another template; other contents are not.</summary>
    public static IEnumerable<V1Volume> SharedVolumes(StoreClusterSpec spec) =>
        from side in spec.WithTls()
        where spec.Issuer(side)!.SecretRefs is not null
        select Mounted(side, spec.Issuer(side)!.SecretRefs!.Member.Name);

    static V1Volume Mounted(TlsSide side, string secret) => new()
    {
        Name = Volume(side),
        // 0440: for the pod's group, which is the store's.
        Secret = new V1SecretVolumeSource { SecretName = secret, DefaultMode = 288 },
    };

    static string Volume(TlsSide side) => $"tls-{side.Word()}";

    public static string Folder(TlsSide side) => $"/etc/store/tls/{side.Word()}";
}
