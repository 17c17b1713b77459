using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Authentication;

namespace Store.Server;

/// <summary>How one kind of connection, of clients or of peers, is secured (contract 1.14). Paths are empty where nothing was given.</summary>
public sealed record TlsOptions
{
    /// <summary>What stands before the flags' names: empty for clients, "peer-" for peers.</summary>
    public required string FlagPrefix { get; init; }
    public string CertFile { get; init; } = "";
    public string KeyFile { get; init; } = "";
    /// <summary>For connections that this member opens; empty: the same as for those that it takes.</summary>
    public string DialCertFile { get; init; } = "";
    public string DialKeyFile { get; init; } = "";
    public string TrustedCaFile { get; init; } = "";
    public string CrlFile { get; init; } = "";
    public bool ClientCertAuth { get; init; }
    public ImmutableArray<string> AllowedCommonNames { get; init; } = [];
    public ImmutableArray<string> AllowedHostNames { get; init; } = [];
    /// <summary>Certificates are made here, and whoever dials trusts any: secrecy without identity (--auto-tls, --peer-auto-tls).</summary>
    public bool SelfSigned { get; init; }
    public int SelfSignedYears { get; init; } = 1;
    /// <summary>Names and addresses in a dialling peer's certificate need not be those that it comes from.</summary>
    public bool SkipClientSanVerification { get; init; }
    public SslProtocols Protocols { get; init; } = SslProtocols.Tls12 | SslProtocols.Tls13;
    /// <summary>Empty: the platform's own choice.</summary>
    public ImmutableArray<TlsCipherSuite> CipherSuites { get; init; } = [];

    /// <summary>There is a certificate to serve with.</summary>
    public bool IsConfigured => CertFile.Length > 0 || SelfSigned;

    /// <summary>An authority alone asks for certificates too, as in etcd.</summary>
    public bool AsksForCertificate => ClientCertAuth || TrustedCaFile.Length > 0;
}
