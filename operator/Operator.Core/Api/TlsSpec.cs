using System.Text.Json.Serialization;

namespace Operator.Core;

[Cel("has(self.client) || has(self.peer)", "tls needs client, peer or both; leave tls out for a cluster in clear")]
public sealed record TlsSpec
{
    [JsonPropertyName("client")]
    [Doc("TLS between clients and members. In clear when absent; that cannot be changed later.")]
    public ClientTlsSpec? Client { get; init; }

    [JsonPropertyName("peer")]
    [Doc("TLS between members, which show their certificates to one another. In clear when absent; that cannot be changed later.")]
    public PeerTlsSpec? Peer { get; init; }

    [JsonPropertyName("extraSANs")]
    [Doc("More DNS names and addresses that clients reach members by, such as that of a load balancer. For issuers that the operator asks for certificates.")]
    public IReadOnlyList<string>? ExtraSans { get; init; }

    [JsonPropertyName("rotate")]
    [Doc("Any new text makes the operator replace the self-signed authorities and all their certificates, one overlapping step at a time. The date is a good one.")]
    [Pattern("^.*$", MaxLength = 128)]
    public string? Rotate { get; init; }

    [JsonPropertyName("overlapSeconds")]
    [Doc("How long applications have, while an authority is replaced, to read the trusted authorities and their new certificate from their Secret.")]
    [Default(300)]
    [Range(0, 2592000)]
    public int OverlapSeconds { get; init; } = 300;
}

public sealed record ClientTlsSpec
{
    public const string Mutual = "Mutual";
    public const string Server = "Server";

    [JsonPropertyName("mode")]
    [Doc("Mutual demands a certificate of each client; with Server only the members show one.")]
    [Default(Mutual)]
    [OneOf(Mutual, Server)]
    public string Mode { get; init; } = Mutual;

    [JsonPropertyName("issuer")]
    [Doc("Where the certificates come from. It cannot be changed later.")]
    [Default("{}")]
    public IssuerSpec Issuer { get; init; } = new();
}

public sealed record PeerTlsSpec
{
    [JsonPropertyName("issuer")]
    [Doc("Where the certificates come from. It cannot be changed later.")]
    [Default("{}")]
    public IssuerSpec Issuer { get; init; } = new();
}

[Cel("(has(self.selfSigned) ? 1 : 0) + (has(self.secretRefs) ? 1 : 0) + (has(self.certManager) ? 1 : 0) <= 1", "tls issuer names one source of certificates at most")]
public sealed record IssuerSpec
{
    [JsonPropertyName("selfSigned")]
    [Doc("The operator keeps an authority of this cluster's own and signs with it. What is done when nothing else is named.")]
    public SelfSignedSpec? SelfSigned { get; init; }

    [JsonPropertyName("secretRefs")]
    [Doc("Secrets that somebody else keeps, in the same namespace. The operator reads them and writes none; what is put into them reaches members without a restart.")]
    public SecretRefsSpec? SecretRefs { get; init; }

    [JsonPropertyName("certManager")]
    [Doc("cert-manager signs: the operator makes a Certificate for each member, for itself and for applications, and cert-manager keeps their Secrets. Replacing the authority itself, with an overlap, is its issuer's concern.")]
    public CertManagerSpec? CertManager { get; init; }

    /// <summary>As it is latched in status.</summary>
    [JsonIgnore]
    public string Kind => (SecretRefs, CertManager) switch { (not null, _) => SecretRefsKind, (_, not null) => CertManagerKind, _ => SelfSignedKind };

    /// <summary>Whether the operator itself makes keys and signs.</summary>
    [JsonIgnore]
    public bool IsSelfSigned => SecretRefs is null && CertManager is null;

    public const string SelfSignedKind = "SelfSigned";
    public const string SecretRefsKind = "SecretRefs";
    public const string CertManagerKind = "CertManager";
}

public sealed record CertManagerSpec
{
    [JsonPropertyName("issuerRef")]
    [Doc("The issuer that signs.")]
    public required CertManagerIssuer IssuerRef { get; init; }

    [JsonPropertyName("duration")]
    [Doc("Life of a certificate, such as 2160h; it is renewed after two thirds of it.")]
    [Default(SelfSignedSpec.DefaultValidity)]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string Duration { get; init; } = SelfSignedSpec.DefaultValidity;
}

public sealed record CertManagerIssuer
{
    [JsonPropertyName("name")]
    [Doc("Its name.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public required string Name { get; init; }

    [JsonPropertyName("kind")]
    [Doc("Issuer, in the same namespace, or ClusterIssuer; or a kind of the group's.")]
    [Default("Issuer")]
    [Pattern("^[A-Za-z]+$", MaxLength = 63)]
    public string Kind { get; init; } = "Issuer";

    [JsonPropertyName("group")]
    [Doc("Its API group.")]
    [Default("cert-manager.io")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public string Group { get; init; } = "cert-manager.io";
}

public sealed record SecretRefsSpec
{
    [JsonPropertyName("member")]
    [Doc("Secret with tls.crt, tls.key and ca.crt: what every member shows, and whom it trusts. The certificate has to be for each member's name, such as *.NAME-peers.NAMESPACE.svc, and good for servers and clients.")]
    public required LocalReference Member { get; init; }

    [JsonPropertyName("operator")]
    [Doc("Secret with tls.crt, tls.key and ca.crt: what the operator shows to members, on the client side. The members' own when absent.")]
    public LocalReference? Operator { get; init; }
}

[Cel("duration(self.validity) >= duration('1h')", "selfSigned.validity must be at least 1h: a new certificate takes minutes to reach everybody")]
[Cel("duration(self.authorityValidity) >= duration(self.validity) + duration(self.validity) + duration(self.validity)",
    "selfSigned.authorityValidity must be at least three times validity: an authority is replaced after two thirds of its life")]
public sealed record SelfSignedSpec
{
    public const string DefaultValidity = "2160h";
    public const string DefaultAuthorityValidity = "43800h";

    [JsonPropertyName("validity")]
    [Doc("Life of a certificate, such as 2160h. It is renewed after two thirds of it, without a restart.")]
    [Default(DefaultValidity)]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string Validity { get; init; } = DefaultValidity;

    [JsonPropertyName("authorityValidity")]
    [Doc("Life of the authority. It is replaced after two thirds of it, without a restart.")]
    [Default(DefaultAuthorityValidity)]
    [Pattern(Patterns.Duration, MaxLength = 10)]
    public string AuthorityValidity { get; init; } = DefaultAuthorityValidity;
}
