using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Certificates that cert-manager signs: the operator makes Certificate objects, and reads the Secrets that come of them.</summary>
public static class ManagedCertificates
{
    /// <summary>On a Secret: the Certificate that cert-manager keeps it for.</summary>
    public const string NameAnnotation = "cert-manager.io/certificate-name";

    /// <summary>One object a pass. Those that are missing at once; those that have to change one after the other: the next when each before it is signed and its member was seen to show it.</summary>
    internal static Decision? Next(Diagnosis diagnosis, TlsSide side)
    {
        var view = diagnosis.View;
        if (view.ManagedRefused is not null) return null;
        string? waiting = null;
        foreach (var wanted in WantedCertificate.OfAll(diagnosis, side))
        {
            var rendered = Build(view.Cluster, wanted);
            var there = view.Managed.FirstOrDefault(item => item.Metadata.Name == rendered.Metadata.Name);
            if (there is null) return new Decision.Act(new Step.Apply(rendered));
            if (!Applied.IsCurrent(there, rendered)) return waiting is null ? new Decision.Act(new Step.Apply(rendered)) : new Decision.Decline("CertificateNotLoaded", $"{waiting}; Certificate {wanted.Secret} changes after it");
            waiting ??= Pending(wanted, there, view.Given.GetValueOrDefault(wanted.Secret)) ?? NotLoaded(diagnosis, wanted);
        }

        return null;
    }

    static string? NotLoaded(Diagnosis diagnosis, WantedCertificate wanted) =>
        wanted.Member is { } name && diagnosis.Find(name.ToString()) is { Pod: not null } && !CertificateReport.Loaded(diagnosis.View, name, wanted.Side)
            ? $"{name} has yet to show its {wanted.Side.Word()} certificate of Secret {wanted.Secret}"
            : null;

    /// <summary>Why cert-manager has not signed it as it is wanted now; null when it has.</summary>
    static string? Pending(WantedCertificate wanted, ManagedCertificate? managed, V1Secret? secret)
    {
        var ready = managed?.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready");
        var behind = ready is not null && (ready.Status != "True" || ready.ObservedGeneration < managed!.Metadata.Generation);
        if (!behind && Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is not null) return null;
        var says = ready is { Status: not "True" } ? $"it says {ready.Reason}: {ready.Message}" : "it has said nothing yet";
        return $"cert-manager has yet to sign Certificate {wanted.Secret}; {says}";
    }

    /// <summary>What is not there yet, or holds no more; null when all is well.</summary>
    public static (string Reason, string Message)? Flaw(Diagnosis diagnosis, TlsSide side)
    {
        var view = diagnosis.View;
        if (view.ManagedRefused is { } refused) return (refused.Reason, $"spec.tls.{side.Word()}.issuer.certManager: {refused.Message}");
        foreach (var wanted in WantedCertificate.OfAll(diagnosis, side))
        {
            var secret = view.Given.GetValueOrDefault(wanted.Secret);
            var pending = Pending(wanted, view.Managed.FirstOrDefault(item => item.Metadata.Name == wanted.Secret), secret);
            if (pending is not null && Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is null) return ("CertificatePending", pending);
            if (OwnedSecret.Text(secret, CertificateSecret.AuthorityEntry) is null)
                return ("SecretInvalid", $"Secret {wanted.Secret} has no ca.crt: its issuer does not tell whom to trust, so it cannot serve here");
            if (CertificateFlaws.Of(secret!, view.ObservedAt, serves: wanted.Member is not null) is { } flaw) return (flaw.Reason, pending is null ? flaw.Message : $"{flaw.Message}; {pending}");
            if (pending is not null) return ("CertificatePending", pending);
        }

        return null;
    }

    /// <summary>Whether cert-manager keeps this Secret for the Certificate of that name.</summary>
    internal static bool IsOf(V1Secret secret, string certificate) =>
        secret.Metadata.Annotations is { } annotations && annotations.TryGetValue(NameAnnotation, out var name) && name == certificate;

    public static ManagedCertificate Build(StoreCluster cluster, WantedCertificate wanted)
    {
        var spec = cluster.Spec.Issuer(wanted.Side)!.CertManager!;
        bool IsAddress(string name) => Uri.CheckHostName(name) is UriHostNameType.IPv4 or UriHostNameType.IPv6;
        return Applied.Stamp(new ManagedCertificate
        {
            Metadata = new V1ObjectMeta
            {
                Name = wanted.Secret,
                NamespaceProperty = cluster.Metadata.NamespaceProperty,
                Labels = Labels.OfCluster(cluster.Metadata.Name),
                OwnerReferences = [Labels.Owner(cluster)],
            },
            Spec = new ManagedCertificateSpec
            {
                SecretName = wanted.Secret,
                SecretTemplate = new ManagedSecretTemplate { Labels = Labels.Selector(cluster.Metadata.Name) },
                CommonName = wanted.CommonName,
                DnsNames = wanted.Names.Any(name => !IsAddress(name)) ? [.. wanted.Names.Where(name => !IsAddress(name))] : null,
                IpAddresses = wanted.Names.Any(IsAddress) ? [.. wanted.Names.Where(IsAddress)] : null,
                Duration = spec.Duration,
                IssuerRef = new ManagedCertificateIssuer { Name = spec.IssuerRef.Name, Kind = spec.IssuerRef.Kind, Group = spec.IssuerRef.Group },
            },
        });
    }
}

/// <summary>cert-manager's Certificate, as far as the operator writes it.</summary>
[Resource("cert-manager.io", "v1", "Certificate", "certificates")]
public sealed record ManagedCertificate : IKubernetesObject<V1ObjectMeta>
{
    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = "cert-manager.io/v1";

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = "Certificate";

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public required ManagedCertificateSpec Spec { get; init; }

    /// <summary>cert-manager's to write.</summary>
    [JsonPropertyName("status")]
    public ManagedCertificateStatus? Status { get; init; }
}

public sealed record ManagedCertificateStatus
{
    [JsonPropertyName("conditions")]
    public IReadOnlyList<V1Condition>? Conditions { get; init; }
}

public sealed record ManagedCertificateSpec
{
    [JsonPropertyName("secretName")]
    public required string SecretName { get; init; }

    [JsonPropertyName("secretTemplate")]
    public required ManagedSecretTemplate SecretTemplate { get; init; }

    [JsonPropertyName("commonName")]
    public required string CommonName { get; init; }

    [JsonPropertyName("dnsNames")]
    public IReadOnlyList<string>? DnsNames { get; init; }

    [JsonPropertyName("ipAddresses")]
    public IReadOnlyList<string>? IpAddresses { get; init; }

    [JsonPropertyName("duration")]
    public required string Duration { get; init; }

    /// <summary>For servers and clients alike, as etcd's peers are both.</summary>
    [JsonPropertyName("usages")]
    public IReadOnlyList<string> Usages { get; init; } = ["digital signature", "server auth", "client auth"];

    [JsonPropertyName("privateKey")]
    public ManagedCertificateKey PrivateKey { get; init; } = new();

    [JsonPropertyName("issuerRef")]
    public required ManagedCertificateIssuer IssuerRef { get; init; }
}

/// <summary>By its label the operator finds the Secret that comes of it.</summary>
public sealed record ManagedSecretTemplate
{
    [JsonPropertyName("labels")]
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
}

/// <summary>A new key with each certificate.</summary>
public sealed record ManagedCertificateKey
{
    [JsonPropertyName("algorithm")]
    public string Algorithm { get; init; } = "ECDSA";

    [JsonPropertyName("size")]
    public int Size { get; init; } = 256;

    [JsonPropertyName("rotationPolicy")]
    public string RotationPolicy { get; init; } = "Always";
}

public sealed record ManagedCertificateIssuer
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    [JsonPropertyName("group")]
    public required string Group { get; init; }
}
