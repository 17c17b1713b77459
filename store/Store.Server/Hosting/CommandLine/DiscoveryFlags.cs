using System.Collections.Immutable;

namespace Store.Server;

/// <summary>The flags by which the members of a new cluster find each other.</summary>
static class DiscoveryFlags
{
    static readonly string[] Ways = ["initial-cluster", "discovery", "discovery-endpoints", "discovery-srv"];

    /// <summary>Null: --initial-cluster names them.</summary>
    public static DiscoveryOptions? Read(FlagValues flags)
    {
        var chosen = Ways.Where(way => flags.Text(way).Length > 0).ToArray();
        if (chosen.Length > 1)
            throw new FlagException("multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\", \"discovery\", \"discovery-endpoints\" or \"discovery-srv\"");
        var token = flags.Text("discovery-token");
        if (flags.Text("discovery-srv") is { Length: > 0 } domain) return new DiscoveryOptions.Srv(domain.TrimEnd('.'), flags.Text("discovery-srv-name"));
        if (flags.Text("discovery-endpoints") is not { Length: > 0 } endpoints)
            return token.Length == 0 ? null : throw new FlagException("--discovery-token needs --discovery-endpoints");
        if (token.Length == 0) throw new FlagException("--discovery-endpoints needs --discovery-token");
        var tls = Tls(flags);
        // As in etcd, what has no scheme is in clear unless something asks for TLS.
        var secured = !flags.Boolean("discovery-insecure-transport") || tls != DiscoveryTlsOptions.None;
        return new DiscoveryOptions.Service(
            [.. endpoints.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(text => Endpoint(text, secured ? "https" : "http"))],
            token, flags.Text("discovery-user"), flags.Text("discovery-password"), flags.Duration("discovery-request-timeout"), tls);
    }

    static DiscoveryTlsOptions Tls(FlagValues flags)
    {
        var tls = new DiscoveryTlsOptions(
            flags.Text("discovery-cert"), flags.Text("discovery-key"), flags.Text("discovery-cacert"), flags.Boolean("discovery-insecure-skip-tls-verify"));
        return tls.CertFile.Length > 0 == tls.KeyFile.Length > 0 ? tls : throw new FlagException("--discovery-cert and --discovery-key must be given together");
    }

    static Uri Endpoint(string text, string scheme) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"{scheme}://{text}", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url : throw new FlagException($"'{text}' in --discovery-endpoints is not a URL such as http://10.0.0.1:2379");
}

/// <summary>How the members of a new cluster find each other.</summary>
public abstract record DiscoveryOptions
{
    DiscoveryOptions() { }

    /// <summary>Through keys in another etcd (v3 discovery).</summary>
    public sealed record Service(ImmutableArray<Uri> Endpoints, string Token, string User, string Password, TimeSpan RequestTimeout, DiscoveryTlsOptions Tls) : DiscoveryOptions;

    /// <summary>Through SRV records.</summary>
    /// <param name="ServiceName">Stands behind "etcd-server" in the record's name; may be empty.</param>
    public sealed record Srv(string Domain, string ServiceName) : DiscoveryOptions;
}

/// <summary>Paths are empty where nothing was given.</summary>
/// <param name="TrustsAnybody">Whoever answers is believed: secrecy without identity.</param>
public sealed record DiscoveryTlsOptions(string CertFile, string KeyFile, string AuthorityFile, bool TrustsAnybody)
{
    public static readonly DiscoveryTlsOptions None = new("", "", "", TrustsAnybody: false);
}
