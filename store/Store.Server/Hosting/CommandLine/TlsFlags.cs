using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;

namespace Store.Server;

/// <summary>The flags of contract 1.14, for clients and, with "peer-" in front, for peers.</summary>
static class TlsFlags
{
    public static TlsOptions Clients(FlagValues flags) => Read(flags, "", "client-", "auto-tls", "client-cert-auth") with
    {
        AllowedHostNames = List(flags, "client-cert-allowed-hostname"),
    };

    public static TlsOptions Peers(FlagValues flags)
    {
        var (names, hosts) = (List(flags, "peer-cert-allowed-cn"), List(flags, "peer-cert-allowed-hostname"));
        if (names.Length > 0 && hosts.Length > 0) throw new FlagException("--peer-cert-allowed-cn and --peer-cert-allowed-hostname are mutually exclusive; give one of them");
        return Read(flags, "peer-", "peer-", "peer-auto-tls", "peer-client-cert-auth") with
        {
            AllowedCommonNames = names,
            AllowedHostNames = hosts,
            SkipClientSanVerification = flags.Boolean("peer-skip-client-san-verification"),
        };
    }

    /// <summary>Every https URL of a listener needs a certificate.</summary>
    public static void Require(TlsOptions tls, IEnumerable<Uri> urls, string kind)
    {
        if (!tls.IsConfigured && urls.FirstOrDefault(url => url.Scheme is "https" or "unixs") is { } url)
            throw new FlagException($"TLS key/cert (--{tls.FlagPrefix}cert-file, --{tls.FlagPrefix}key-file) must be provided for {kind} url {url.OriginalString} with HTTPS scheme");
    }

    static TlsOptions Read(FlagValues flags, string prefix, string crlPrefix, string auto, string auth)
    {
        var (cert, key) = Pair(flags, prefix + "cert-file", prefix + "key-file");
        var (dialCert, dialKey) = Pair(flags, prefix + "client-cert-file", prefix + "client-key-file");
        var (protocols, suites) = Versions(flags);
        return new()
        {
            FlagPrefix = prefix,
            CertFile = cert,
            KeyFile = key,
            DialCertFile = dialCert,
            DialKeyFile = dialKey,
            TrustedCaFile = flags.Text(prefix + "trusted-ca-file"),
            CrlFile = flags.Text(crlPrefix + "crl-file"),
            ClientCertAuth = flags.Boolean(auth),
            SelfSigned = flags.Boolean(auto) && cert.Length == 0,
            SelfSignedYears = flags.Number("self-signed-cert-validity", 1, 100),
            Protocols = protocols,
            CipherSuites = suites,
        };
    }

    static (string Cert, string Key) Pair(FlagValues flags, string certFlag, string keyFlag)
    {
        var (cert, key) = (flags.Text(certFlag), flags.Text(keyFlag));
        return cert.Length > 0 == key.Length > 0 ? (cert, key) : throw new FlagException($"--{certFlag} and --{keyFlag} must both be present[cert: {cert}, key: {key}]");
    }

    static (SslProtocols Protocols, ImmutableArray<TlsCipherSuite> Suites) Versions(FlagValues flags)
    {
        var (min, max) = (Version(flags, "tls-min-version", SslProtocols.Tls12), Version(flags, "tls-max-version", SslProtocols.Tls13));
        if (min > max) throw new FlagException($"min version ({flags.Text("tls-min-version")}) is greater than max version ({flags.Text("tls-max-version")})");
        ImmutableArray<TlsCipherSuite> suites = [.. List(flags, "cipher-suites").Select(Suite)];
        if (min == SslProtocols.Tls13 && suites.Length > 0) throw new FlagException("cipher suites cannot be configured when only TLS1.3 is enabled");
        // The list is for TLS 1.2, as it is for Go: the suites of 1.3 are always there.
        if (suites.Length > 0 && max == SslProtocols.Tls13)
            suites = [.. suites, TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];
        return (min | max, [.. suites.Distinct()]);
    }

    static SslProtocols Version(FlagValues flags, string flag, SslProtocols otherwise) => flags.Text(flag) switch
    {
        "" => otherwise,
        "TLS1.2" => SslProtocols.Tls12,
        "TLS1.3" => SslProtocols.Tls13,
        var other => throw new FlagException($"unexpected TLS version \"{other}\" for --{flag}, must be one of: TLS1.2, TLS1.3"),
    };

    /// <summary>IANA's names, and Go's older ones for two of them.</summary>
    static TlsCipherSuite Suite(string name)
    {
        var full = name is "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" or "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" ? name + "_SHA256" : name;
        return Enum.TryParse<TlsCipherSuite>(full, out var suite) && suite.ToString() == full ? suite : throw new FlagException($"unexpected TLS cipher suite \"{name}\" in --cipher-suites");
    }

    static ImmutableArray<string> List(FlagValues flags, string flag) =>
        [.. flags.Text(flag).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}
