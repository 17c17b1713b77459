using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LocalCluster;

/// <summary>
/// What a cluster with TLS everywhere is started with, as files: an authority for clients and another for peers, each asking for certificates of its own.
/// A rotation replaces all of it in three steps, so that whoever shakes hands in between finds what it trusts: <see cref="Announce"/>, <see cref="Reissue"/>, <see cref="Retire"/>.
/// </summary>
public sealed class ClusterCertificates : IDisposable
{
    readonly CertificateFolder files = new();
    readonly Realm clients;
    readonly Realm peers;

    public ClusterCertificates() => (clients, peers) = (new(files, "clients", "server", "client"), new(files, "peers", "peer"));

    /// <summary>How often all of it was replaced; part of each authority's name.</summary>
    public int Generation => clients.Generation;

    public CertificateFolder Files => files;

    /// <summary>Of each member, etcd or the store.</summary>
    public string[] MemberFlags =>
    [
        .. files.Flags("server"), "--client-cert-auth", $"--trusted-ca-file={clients.AuthorityFile}",
        .. files.Flags("peer", "peer-"), "--peer-client-cert-auth", $"--peer-trusted-ca-file={peers.AuthorityFile}",
    ];

    public string[] EtcdctlFlags => [$"--cacert={clients.AuthorityFile}", $"--cert={files["client.crt"]}", $"--key={files["client.key"]}"];

    /// <summary>The next authorities beside those in use.</summary>
    public void Announce()
    {
        clients.Announce();
        peers.Announce();
    }

    /// <summary>Every certificate anew, signed by the next authorities.</summary>
    public void Reissue()
    {
        clients.Reissue();
        peers.Reissue();
    }

    /// <summary>The old authorities away.</summary>
    public void Retire()
    {
        clients.Retire();
        peers.Retire();
    }

    /// <summary>One more certificate of the peers' authority, as NAME.crt and NAME.key.</summary>
    public void IssuePeer(string name) => peers.Issue(name);

    /// <summary>A client that shows and trusts what is right at the time of each handshake.</summary>
    public SslClientAuthenticationOptions ForClients() => clients.Options("client");

    /// <summary>The same on peer ports.</summary>
    public SslClientAuthenticationOptions ForPeers() => peers.Options("peer");

    public void Dispose()
    {
        clients.Dispose();
        peers.Dispose();
        files.Dispose();
    }

    /// <summary>One authority, its successor, and the certificates that it has signed.</summary>
    sealed class Realm : IDisposable
    {
        readonly CertificateFolder files;
        readonly string name;
        readonly string[] leaves;
        readonly List<TestAuthority> authorities = [];
        volatile Trust now;

        public Realm(CertificateFolder files, string name, params string[] leaves)
        {
            (this.files, this.name, this.leaves) = (files, name, leaves);
            now = new([], new(StringComparer.Ordinal));
            Announce();
            Reissue();
        }

        public int Generation => authorities.Count - 1;

        public string AuthorityFile => files[name + "-ca.crt"];

        public void Announce()
        {
            authorities.Add(new($"{name} {authorities.Count}"));
            Trusting(authorities.TakeLast(2));
        }

        public void Reissue()
        {
            var signed = leaves.ToDictionary(leaf => leaf, leaf => authorities[^1].Sign($"{leaf} {Generation}"), StringComparer.Ordinal);
            foreach (var (leaf, certificate) in signed) files.Write(leaf, certificate);
            now = now with { Leaves = signed };
        }

        public void Issue(string leaf)
        {
            using var certificate = authorities[^1].Sign(leaf);
            files.Write(leaf, certificate);
        }

        public void Retire() => Trusting(authorities.TakeLast(1));

        void Trusting(IEnumerable<TestAuthority> trusted)
        {
            files.Write(name + "-ca.crt", string.Concat(trusted.Select(authority => authority.Pem)));
            now = now with { Authorities = [.. trusted.Select(authority => authority.Certificate)] };
        }

        public SslClientAuthenticationOptions Options(string leaf) => new()
        {
            AllowTlsResume = false,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => now.Leaves[leaf],
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                certificate is X509Certificate2 shown && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && now.Holds(shown),
        };

        public void Dispose() => authorities.ForEach(authority => authority.Dispose());
    }

    sealed record Trust(X509Certificate2Collection Authorities, Dictionary<string, X509Certificate2> Leaves)
    {
        public bool Holds(X509Certificate2 certificate)
        {
            using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true } };
            chain.ChainPolicy.CustomTrustStore.AddRange(Authorities);
            return chain.Build(certificate);
        }
    }
}
