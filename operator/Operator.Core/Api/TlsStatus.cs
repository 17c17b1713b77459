using System.Text.Json.Serialization;

namespace Operator.Core;

public sealed record TlsStatus
{
    [JsonPropertyName("client")]
    [Doc("How clients reach members; absent when in clear. Latched before the first object is made.")]
    public TlsSideStatus? Client { get; init; }

    [JsonPropertyName("peer")]
    [Doc("How members reach one another; absent when in clear. Latched before the first object is made.")]
    public TlsSideStatus? Peer { get; init; }

    [JsonPropertyName("certificates")]
    [Doc("Every certificate that the cluster uses.")]
    [ListMap("name")]
    public IReadOnlyList<CertificateStatus>? Certificates { get; init; }

    public TlsSideStatus? Of(TlsSide side) => side == TlsSide.Client ? Client : Peer;

    public TlsStatus With(TlsSide side, TlsSideStatus? status) => side == TlsSide.Client ? this with { Client = status } : this with { Peer = status };
}

public sealed record TlsSideStatus
{
    [JsonPropertyName("issuer")]
    [Doc("Where its certificates come from.")]
    public required string Issuer { get; init; }

    [JsonPropertyName("rotated")]
    [Doc("The spec.tls.rotate that was answered last.")]
    public string? Rotated { get; init; }

    [JsonPropertyName("rotation")]
    [Doc("The replacement of the authority under way. Each phase is written here before its first effect.")]
    public RotationStatus? Rotation { get; init; }
}

public sealed record RotationStatus
{
    /// <summary>Everybody is told to trust the next authority, beside the one in use.</summary>
    public const string Announcing = "Announcing";

    /// <summary>The next authority is the one in use, and every certificate is signed anew.</summary>
    public const string Reissuing = "Reissuing";

    /// <summary>The old authority is taken away.</summary>
    public const string Retiring = "Retiring";

    [JsonPropertyName("phase")]
    [Doc("Announcing (everybody learns to trust the next authority), Reissuing (everybody gets a certificate of it) or Retiring (the old one is trusted no more).")]
    public required string Phase { get; init; }

    [JsonPropertyName("replaces")]
    [Doc("Key id of the authority that goes.")]
    public required string Replaces { get; init; }

    [JsonPropertyName("reason")]
    [Doc("Why it is replaced.")]
    public string? Reason { get; init; }

    [JsonPropertyName("request")]
    [Doc("The spec.tls.rotate that this answers.")]
    public string? Request { get; init; }

    [JsonPropertyName("startedAt")]
    [Doc("When it began.")]
    public DateTime? StartedAt { get; init; }
}

public sealed record CertificateStatus
{
    [JsonPropertyName("name")]
    [Doc("Name of the Secret that holds it.")]
    public required string Name { get; init; }

    [JsonPropertyName("serial")]
    [Doc("Its serial number (hexadecimal).")]
    public required string Serial { get; init; }

    [JsonPropertyName("notAfter")]
    [Doc("When it expires.")]
    public required DateTime NotAfter { get; init; }

    [JsonPropertyName("renewAt")]
    [Doc("When it is renewed: after two thirds of its life.")]
    public required DateTime RenewAt { get; init; }

    [JsonPropertyName("loaded")]
    [Doc("Of a member's certificate: whether the member was seen to show it.")]
    public bool? Loaded { get; init; }
}
