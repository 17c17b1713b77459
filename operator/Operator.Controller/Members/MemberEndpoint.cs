using System.Security.Cryptography.X509Certificates;

namespace Operator.Controller;

/// <summary>Where a member listens: dialled by its pod's address, as names take a while to appear and to go, and known by its name where it shows a certificate.</summary>
/// <param name="Tls">Null in clear.</param>
sealed record MemberEndpoint(string Ip, int Port, string Host, MemberTrust? Tls)
{
    public string Url => Tls is not null ? $"https://{Host}:{Port}" : Ip.Contains(':', StringComparison.Ordinal) ? $"http://[{Ip}]:{Port}" : $"http://{Ip}:{Port}";
}

/// <summary>What the operator shows, and whom it trusts. Equal when made from the same texts.</summary>
sealed class MemberTrust : IEquatable<MemberTrust>, IDisposable
{
    readonly string made;

    public MemberTrust(string certificate, string key, string authorities)
    {
        made = Fingerprint(certificate, key, authorities);
        Shown = X509Certificate2.CreateFromPem(certificate, key);
        Trusted.ImportFromPem(authorities);
    }

    public X509Certificate2 Shown { get; }

    public X509Certificate2Collection Trusted { get; } = [];

    public static string Fingerprint(string certificate, string key, string authorities) => Core.Fingerprint.Of($"{certificate}\n{key}\n{authorities}");

    public bool IsMadeFrom(string fingerprint) => made == fingerprint;

    public bool Equals(MemberTrust? other) => other is not null && made == other.made;

    public override bool Equals(object? obj) => Equals(obj as MemberTrust);

    public override int GetHashCode() => made.GetHashCode(StringComparison.Ordinal);

    public void Dispose()
    {
        Shown.Dispose();
        foreach (var certificate in Trusted) certificate.Dispose();
    }
}
