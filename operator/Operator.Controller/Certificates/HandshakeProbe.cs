using Operator.Core;

namespace Operator.Controller;

/// <summary>Finds out, by shaking hands, which certificate a member shows now and whether it would take one of the next authority. What a Secret says is no proof:
/// kubelets bring it to the pod in their own time.</summary>
sealed class HandshakeProbe(MemberDialer dial)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The certificate that is shown lasts for this handshake alone; its clock's margin is the minter's.</summary>
    static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    public async Task<IReadOnlyDictionary<(MemberName, TlsSide), Handshake>> ShakeAsync(ClusterView view, CancellationToken cancellation)
    {
        var found = new Dictionary<(MemberName, TlsSide), Handshake>();
        foreach (var group in WantedHandshake.Of(view).GroupBy(wanted => (wanted.Side, wanted.ByNext)).ToList())
        {
            if (Show(view, group.Key.Side, group.Key.ByNext) is not { } trust) continue;
            var answers = await Task.WhenAll(group.Select(async wanted => (wanted.Member, Handshake: await ShakeAsync(view, wanted, trust, cancellation))));
            foreach (var (member, handshake) in answers)
            {
                if (handshake is not null) found[(member, group.Key.Side)] = handshake;
            }

            trust.Dispose();
        }

        return found;
    }

    /// <summary>Null while there is no authority that could sign a certificate to show.</summary>
    static MemberTrust? Show(ClusterView view, TlsSide side, bool byNext)
    {
        if (!view.Spec.Issuer(side)!.IsSelfSigned) return ShowGiven(view, side);
        if (Authority.Read(view.Secret(CertificateNames.Authority(view.Name, side))) is not { } authority) return null;
        if ((byNext ? authority.Next : authority.Current) is not { KeyPem: not null } signer) return null;
        var (pem, key) = CertificateMinter.Leaf(signer, "store-operator", [], Validity, view.ObservedAt);
        return new MemberTrust(pem, key, authority.Bundle);
    }

    /// <summary>With somebody else's authority a member's own certificate is shown: on the peers' side there is no other.</summary>
    static MemberTrust? ShowGiven(ClusterView view, TlsSide side)
    {
        var secret = view.Pods.Select(pod => MemberName.OfPod(view.Name, pod.Metadata.Name)).OfType<MemberName>().Select(member => view.Shown(member, side)).FirstOrDefault(secret => secret is not null);
        return Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is { KeyPem: { } key } given && OwnedSecret.Text(secret!, CertificateSecret.AuthorityEntry) is { } trusted
            ? new MemberTrust(given.Pem, key, trusted)
            : null;
    }

    /// <summary>Null when there is nobody, or the operator could not trust who answered.</summary>
    async Task<Handshake?> ShakeAsync(ClusterView view, WantedHandshake wanted, MemberTrust trust, CancellationToken cancellation)
    {
        var pod = view.Pods.FirstOrDefault(pod => pod.Metadata.Name == wanted.Member.Pod);
        if (pod?.Status is not { PodIP: { Length: > 0 } ip, Phase: "Running" }) return null;
        string? serial = null;
        var endpoint = new MemberEndpoint(ip, wanted.Side == TlsSide.Client ? Ports.Client : Ports.Peer, wanted.Member.Host(view.Namespace), trust);
        using var http = new HttpClient(dial(endpoint, shown => serial = shown)) { Timeout = Patience };
        // In TLS 1.3 a certificate is refused after the handshake: only an answer shows that it was taken.
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{endpoint.Url}/version") { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        try
        {
            using var answer = await http.SendAsync(request, cancellation);
            return new Handshake(serial, wanted.ByNext);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return serial is null ? null : new Handshake(serial, AcceptsNext: false);
        }
    }
}
