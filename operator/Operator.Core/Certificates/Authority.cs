using k8s.Models;

namespace Operator.Core;

/// <summary>The authority of one side, in its Secret, with its successor or its predecessor while it is being replaced.</summary>
/// <remarks>
/// A rotation, as the Secret <c>orders-client-ca</c> sees it (<see cref="AuthorityRotation"/>):
/// <code>
/// ca.crt ca.key                               at rest
/// ca.crt ca.key  next.crt next.key            the next one is made, and announced
/// ca.crt ca.key                 previous.crt  it has become the one in use; the old key is gone from here on
/// ca.crt ca.key                               at rest
/// </code>
/// </remarks>
public sealed record Authority(Certificate Current, Certificate? Next, Certificate? Previous)
{
    public const string CertificateEntry = "ca.crt";
    public const string KeyEntry = "ca.key";
    const string NextCertificateEntry = "next.crt";
    const string NextKeyEntry = "next.key";
    const string PreviousCertificateEntry = "previous.crt";

    /// <summary>Signs: the one in use or, where its key is lost, its successor.</summary>
    public Certificate Signer => Current.KeyPem is null && Next is { } next ? next : Current;

    /// <summary>What everybody is to trust, as one file.</summary>
    public string Bundle => string.Concat(new[] { Current, Next, Previous }.OfType<Certificate>().Select(certificate => certificate.Pem.TrimEnd() + "\n"));

    /// <summary>Null when the Secret does not hold one.</summary>
    public static Authority? Read(V1Secret? secret)
    {
        if (secret is null) return null;
        var current = Certificate.Read(secret, CertificateEntry, KeyEntry) ?? Certificate.Read(secret, CertificateEntry, keyEntry: null);
        if (current is null) return null;
        // One that has taken over is the next no more, whatever was left of its entries.
        var next = Certificate.Read(secret, NextCertificateEntry, NextKeyEntry);
        return new Authority(current, next is { KeyPem: not null } && next.Key != current.Key ? next : null, Certificate.Read(secret, PreviousCertificateEntry, keyEntry: null));
    }

    /// <param name="version">Of the Secret that this was made from: a later one refuses it. Null to make the Secret.</param>
    public V1Secret Secret(StoreCluster cluster, TlsSide side, string? version) => OwnedSecret.Build(cluster, CertificateNames.Authority(cluster.Metadata.Name, side), "Opaque", version, new()
    {
        [CertificateEntry] = Current.Pem,
        [KeyEntry] = Current.KeyPem,
        [NextCertificateEntry] = Next?.Pem,
        [NextKeyEntry] = Next?.KeyPem,
        [PreviousCertificateEntry] = Previous?.Pem,
    });
}
