using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Turns the planner's wishes for certificates into Secrets.</summary>
static class CertificateSigner
{
    /// <summary>A new authority, alone or beside the one that it is to replace.</summary>
    public static V1Secret Authority(ClusterView view, Step.MintAuthority mint)
    {
        var name = $"{view.Namespace}/{view.Name} {mint.Side.Word()} authority";
        var made = CertificateMinter.Authority(name, Lifetime.OfAuthority(view.Spec, mint.Side), view.ObservedAt);
        var authority = mint.Beside is { } beside ? beside with { Next = made } : new Authority(made, Next: null, Previous: null);
        return authority.Secret(view.Cluster, mint.Side, mint.Version);
    }

    public static V1Secret Leaf(ClusterView view, Step.IssueCertificate issue)
    {
        var (wanted, authority) = (issue.Wanted, issue.Authority);
        var (pem, key) = CertificateMinter.Leaf(authority.Signer, wanted.CommonName, wanted.Names, Lifetime.OfLeaf(view.Spec, wanted.Side), view.ObservedAt);
        return CertificateSecret.OfLeaf(view.Cluster, wanted.Secret, pem, key, authority.Bundle, view.ObservedAt);
    }
}
