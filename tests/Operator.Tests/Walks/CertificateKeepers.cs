using System.Text;
using Operator.Core;

namespace Operator.Tests;

/// <summary>Those who keep a walk's certificates, if the operator does not: people with their Secret, and cert-manager. They come late, err, and mend it.</summary>
sealed class CertificateKeepers(Simulation simulation, Random chance)
{
    /// <summary>The one that <see cref="FieldValues"/> names first. It holds a password, too.</summary>
    public const string Name = "standard";

    const string Host = "*.orders-peers.shop.svc";

    /// <summary>Something wrong, and what is to be said of it.</summary>
    /// <param name="Mention">What the message names.</param>
    public sealed record Flaw(string What, string Reason, string Mention);

    readonly ForeignAuthority authority = ForeignAuthority.Root(simulation.Now.UtcDateTime, days: 4000);

    /// <summary>Null while all is well.</summary>
    public Flaw? Present { get; private set; }

    /// <summary>All is there and well.</summary>
    public static void Furnish(Simulation simulation)
    {
        simulation.InstallCertManager();
        new CertificateKeepers(simulation, new Random(0)).Renew();
    }

    /// <summary>At the beginning either may have yet to come.</summary>
    public void Arrive()
    {
        if (chance.Next(4) == 0) Present = new Flaw("cert-manager is not there yet", "CertManagerMissing", "cert-manager");
        else simulation.InstallCertManager();
        if (Present is null && chance.Next(4) == 0) Err(SecretFlaws(), "the Secret is not there yet");
        else Renew();
    }

    /// <summary>Whether what is wrong touches a cluster with this spec.</summary>
    public bool Concerns(StoreClusterSpec spec) => Present is { Mention: var mention } && spec.WithTls().Select(side => spec.Issuer(side)!).Any(issuer =>
        mention == "cert-manager" ? issuer.CertManager is not null : issuer.SecretRefs is { } refs && (refs.Member.Name == Name || refs.Operator?.Name == Name));

    /// <summary>Something goes wrong that concerns this spec, if anything can.</summary>
    /// <returns>What it is; null when nothing does.</returns>
    public string? Err(StoreClusterSpec spec)
    {
        var issuers = spec.WithTls().Select(side => spec.Issuer(side)!).ToList();
        if (issuers.Any(issuer => issuer.SecretRefs?.Member.Name == Name))
        {
            Err(SecretFlaws(), null);
        }
        else if (issuers.Any(issuer => issuer.CertManager is not null))
        {
            simulation.CertManager!.Refusal = "the issuer is not ready";
            Present = new Flaw("cert-manager's issuer is not ready", "CertificatePending", "cert-manager");
        }

        if (Present is null) return null;
        simulation.Conduct.WouldNotServe = simulation.Tls.Excused = Present?.Mention != "cert-manager";
        return Present?.What;
    }

    /// <summary>Puts right what is wrong. What kubelets have brought meanwhile takes them a while to replace.</summary>
    public void Mend()
    {
        if (Present is not { } flaw) return;
        if (flaw.Mention != "cert-manager") Renew();
        else if (simulation.CertManager is { } manager) manager.Refusal = null;
        else simulation.InstallCertManager();
        Present = null;
        simulation.Conduct.WouldNotServe = false;
    }

    /// <summary>Everybody has what was put right.</summary>
    public void Settled() => simulation.Tls.Excused &= Present is not null;

    /// <summary>A new certificate of the same authority.</summary>
    public void Renew() => Put(Entries(Sign(Host)));

    void Err(List<(Flaw Flaw, Dictionary<string, byte[]>? Entries)> flaws, string? what)
    {
        var (flaw, entries) = what is null ? flaws[chance.Next(flaws.Count)] : flaws[0];
        Present = flaw with { What = what ?? flaw.What };
        if (entries is null) simulation.Delete("secrets", Name);
        else Put(entries);
    }

    List<(Flaw Flaw, Dictionary<string, byte[]>? Entries)> SecretFlaws()
    {
        var now = simulation.Now.UtcDateTime;
        Flaw Wrong(string what, string reason) => new($"Secret {Name} {what}", reason, $"Secret {Name}");
        Dictionary<string, byte[]> Changed(string entry, string? text)
        {
            var entries = Entries(Sign(Host));
            if (text is null) entries.Remove(entry);
            else entries[entry] = Encoding.UTF8.GetBytes(text);
            return entries;
        }

        return
        [
            (Wrong("is deleted", "SecretMissing"), null),
            (Wrong("has no ca.crt", "SecretInvalid"), Changed(CertificateSecret.AuthorityEntry, null)),
            (Wrong("has no tls.key", "SecretInvalid"), Changed(CertificateSecret.KeyEntry, null)),
            (Wrong("holds text for a certificate", "SecretInvalid"), Changed(CertificateSecret.CertificateEntry, "to be done")),
            (Wrong("has another certificate's key", "SecretInvalid"), Changed(CertificateSecret.KeyEntry, Sign(Host).KeyPem)),
            (Wrong("is for other names", "SecretInvalid"), Entries(Sign("*.payments-peers.shop.svc"))),
            (Wrong("expired yesterday", "Expired"), Entries(authority.Sign([Host], now.AddDays(-20), now.AddDays(-1)))),
            (Wrong("begins tomorrow", "CertificateUntrusted"), Entries(authority.Sign([Host], now.AddDays(1), now.AddDays(3000)))),
            (Wrong("is good for clients alone", "CertificateUntrusted"), Entries(authority.Sign([Host], now.AddDays(-1), now.AddDays(3000), ["1.3.6.1.5.5.7.3.2"]))),
            (Wrong("trusts another authority", "CertificateUntrusted"), Changed(CertificateSecret.AuthorityEntry, ForeignAuthority.Root(now).Pem)),
        ];
    }

    (string Pem, string KeyPem) Sign(string name) => authority.Sign([name], simulation.Now.UtcDateTime.AddHours(-1), simulation.Now.UtcDateTime.AddDays(3000));

    Dictionary<string, byte[]> Entries((string Pem, string KeyPem) leaf) => new[] { ("password", "secret"), (CertificateSecret.CertificateEntry, leaf.Pem), (CertificateSecret.KeyEntry, leaf.KeyPem), (CertificateSecret.AuthorityEntry, authority.Pem) }
        .ToDictionary(entry => entry.Item1, entry => Encoding.UTF8.GetBytes(entry.Item2), StringComparer.Ordinal);

    void Put(Dictionary<string, byte[]> entries) => simulation.Secret(Name, entries);
}
