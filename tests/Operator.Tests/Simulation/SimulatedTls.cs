using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Operator.Controller;

namespace Operator.Tests;

/// <summary>Who trusts whom, by real certificates at virtual time. Members among themselves, and an application that reads its Secret late, must
/// be able to shake hands at any moment of a rotation.</summary>
sealed class SimulatedTls(ObjectTable table, SimulatedStore store, TimeProvider time)
{
    const string Client = "tls-client", Peer = "tls-peer", Application = "application";
    static readonly TimeSpan EverySoOften = TimeSpan.FromMinutes(1);

    readonly Dictionary<string, MountedSecrets> applications = new(StringComparer.Ordinal);

    /// <summary>The uid of the StoreCluster that an application uses.</summary>
    readonly Dictionary<string, string> served = new(StringComparer.Ordinal);

    /// <summary>A chain of certificates is built in milliseconds, and the same few are asked for again and again: what became of it holds until a date in one of them passes.</summary>
    readonly Dictionary<(string Trusted, string Shown), Judged> judged = [];

    /// <summary>By their text. The same few are shown again and again.</summary>
    readonly Dictionary<string, X509Certificate2> parsed = new(StringComparer.Ordinal);

    sealed record Judged(string? Refusal, DateTime Until);
    string seen = "";
    DateTimeOffset checkAt;

    /// <summary>Somebody else than the operator has put something wrong into a Secret, and kubelets may still bring it: who cannot shake hands then is not the operator's doing.</summary>
    public bool Excused { get; set; }

    /// <summary>Whether an application of every cluster, and each member with the others, would get through now. It is asked when something changed, and every
    /// minute because certificates grow old.</summary>
    public void Tick()
    {
        StartApplications();
        var processes = store.Processes.Where(process => process.Certificates is not null).ToList();
        var seen = string.Join(' ', processes.Select(process => $"{process.Ip}:{process.Certificates!.Version}").Concat(applications.Values.Select(application => $"{application.Version}")));
        if (seen == this.seen && time.GetUtcNow() < checkAt) return;
        (this.seen, checkAt) = (seen, time.GetUtcNow() + EverySoOften);
        foreach (var process in processes)
        {
            foreach (var other in processes.Where(other => other.Group == process.Group && other != process && other.Certificates!.Has(Peer)))
                Require(Refusal(process.Certificates!.File(Peer, "ca.crt"), other.Certificates!.File(Peer, "tls.crt")), $"{process.Name} and {other.Name}");
            foreach (var (name, application) in applications.Where(application => process.Name.StartsWith(application.Key + "-", StringComparison.Ordinal) && process.Certificates!.Has(Client)))
            {
                Require(Refusal(application.File(Application, "ca.crt"), process.Certificates!.File(Client, "tls.crt")), $"an application of {name} and {process.Name}");
                Require(Refusal(process.Certificates!.File(Client, "ca.crt"), application.File(Application, "tls.crt")), $"{process.Name} and an application of {name}");
            }
        }
    }

    /// <summary>Why the operator's connection does not come about; null when it does. <paramref name="shown"/> is told the member's certificate.</summary>
    public string? Handshake(StoreProcess process, MemberEndpoint endpoint, Action<string>? shown)
    {
        var volume = endpoint.Port == Core.Ports.Peer ? Peer : Client;
        if (process.Certificates?.Has(volume) != true) return endpoint.Tls is null ? null : "the member does not speak TLS";
        if (endpoint.Tls is not { } tls) return "the member speaks TLS only";
        if (process.Certificates.File(volume, "tls.crt") is not { } leaf || !IsCertificate(leaf)) return "the member has no certificate to show";
        if (!parsed.TryGetValue(leaf, out var server)) parsed[leaf] = server = X509Certificate2.CreateFromPem(leaf);
        if (!server.MatchesHostname(endpoint.Host)) return $"the certificate is not for {endpoint.Host}";
        if (Refusal(tls.Trusted, server) is { } refusal) return refusal;
        shown?.Invoke(server.SerialNumber.ToLowerInvariant());
        return Refusal(process.Certificates.File(volume, "ca.crt"), tls.Shown.ExportCertificatePem());
    }

    void StartApplications()
    {
        // Who used a StoreCluster that was deleted begins anew with the next one of that name.
        foreach (var gone in served.Where(pair => (string?)Find("storeclusters", pair.Key)?["metadata"]!["uid"] != pair.Value).Select(pair => pair.Key).ToList())
        {
            served.Remove(gone);
            applications.Remove(gone);
        }

        foreach (var item in table.List("secrets"))
        {
            var secret = ObjectTable.KeyOf(item);
            if (!secret.Name.EndsWith("-client-tls", StringComparison.Ordinal) || OwnerOf(item) is not { } owner) continue;
            if (served.TryAdd(secret.Name[..^"-client-tls".Length], owner))
                applications[secret.Name[..^"-client-tls".Length]] = new MountedSecrets(secret.Namespace, new Dictionary<string, string> { [Application] = secret.Name });
        }

        foreach (var application in applications.Values.Where(application => time.GetUtcNow() >= application.RefreshAt)) application.Refresh(table, time.GetUtcNow() + TimeSpan.FromSeconds(15));
    }

    static bool IsCertificate(string file) => file.Contains("-----BEGIN CERTIFICATE", StringComparison.Ordinal);

    JsonObject? Find(string plural, string name) => table.Get(plural, Simulation.Key(name));

    /// <summary>The uid of the StoreCluster: of what cert-manager signs, its Certificate says it.</summary>
    string? OwnerOf(JsonObject secret)
    {
        var owned = secret["metadata"]!["ownerReferences"] ?? Find("certificates", ObjectTable.KeyOf(secret).Name)?["metadata"]!["ownerReferences"];
        return (string?)owned?[0]?["uid"];
    }

    void Require(string? refusal, string who)
    {
        if (refusal is not null && !Excused) store.Violations.Add($"{who} cannot shake hands: {refusal}");
    }

    string? Refusal(string? authorities, string? leaf)
    {
        if (authorities is null || leaf is null) return "a file is missing";
        if (!IsCertificate(leaf)) return "a file holds no certificate";
        return Remembered((authorities, leaf), () =>
        {
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPem(authorities);
            using var certificate = X509Certificate2.CreateFromPem(leaf);
            return Judge(trusted, certificate);
        });
    }

    string? Refusal(X509Certificate2Collection trusted, X509Certificate2 certificate) =>
        Remembered((string.Join(' ', trusted.Select(one => one.Thumbprint)), certificate.Thumbprint), () => Judge(trusted, certificate));

    string? Remembered((string Trusted, string Shown) asked, Func<Judged> judge)
    {
        if (!judged.TryGetValue(asked, out var before) || time.GetUtcNow().UtcDateTime >= before.Until) judged[asked] = before = judge();
        return before.Refusal;
    }

    Judged Judge(X509Certificate2Collection trusted, X509Certificate2 certificate)
    {
        var now = time.GetUtcNow().UtcDateTime;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now;
        chain.ChainPolicy.CustomTrustStore.AddRange(trusted);
        var until = trusted.Append(certificate).SelectMany(one => new[] { one.NotBefore.ToUniversalTime(), one.NotAfter.ToUniversalTime() }).Where(date => date > now).DefaultIfEmpty(DateTime.MaxValue).Min();
        return new Judged(chain.Build(certificate) ? null : $"{certificate.Subject} of {certificate.Issuer}: {string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()))}", until);
    }
}
