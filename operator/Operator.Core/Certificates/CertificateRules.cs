using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Certificates: those that are missing, do not fit or grow old are signed anew, and authorities are replaced. One Secret a pass.</summary>
static class CertificateRules
{
    /// <summary>Acts on the first side that has something to do. What it waits for keeps nobody below from acting, unless members could not be spoken to at all.</summary>
    public static Decision Keep(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (!view.Spec.WithTls().Any()) return Decision.NothingToDo;
        if (view.SecretsRefused is { } refused)
            return new Decision.Halt("SecretsUnreadable", $"the certificates cannot be read: {refused}; where the operator watches all namespaces, its chart's value rbac.secretNamespaces has to name this one");
        Decision waiting = Decision.NothingToDo;
        foreach (var side in view.Spec.WithTls())
        {
            var decision = view.Spec.Issuer(side)! switch
            {
                { IsSelfSigned: true } => Side(diagnosis, side),
                { CertManager: not null } when ManagedCertificates.Next(diagnosis, side) is { } next => next,
                _ => Await(diagnosis, side),
            };
            if (decision is Decision.Act or Decision.Halt) return decision;
            if (waiting is Decision.Pass) waiting = decision;
        }

        if (CertificateDelivery.Hasten(diagnosis) is { } hasten) return hasten;
        return waiting is Decision.Pass ? Leftovers(diagnosis) : waiting;
    }

    static Decision Side(Diagnosis diagnosis, TlsSide side)
    {
        var view = diagnosis.View;
        var secret = view.Secret(CertificateNames.Authority(view.Name, side));
        if (Authority.Read(secret) is not { } authority) return Found(diagnosis, side, secret);
        if (AuthorityRotation.Begin(diagnosis, side, authority) is { } begin) return begin;
        return Issue(diagnosis, side, authority) ?? AuthorityRotation.Advance(diagnosis, side, authority);
    }

    /// <summary>The first authority; or, where somebody deleted the Secret of one that is in use, its certificate again, so that it is replaced with an overlap
    /// (<see cref="AuthorityRotation"/>) instead of at a stroke that nobody would trust.</summary>
    static Decision.Act Found(Diagnosis diagnosis, TlsSide side, V1Secret? unreadable)
    {
        var view = diagnosis.View;
        var leaves = WantedCertificate.Of(diagnosis, side).Select(wanted => view.Secret(wanted.Secret)).OfType<V1Secret>();
        var inUse = leaves.Select(leaf => Certificate.Read(leaf, CertificateSecret.AuthorityEntry, keyEntry: null)).FirstOrDefault(certificate => certificate is not null);
        return inUse is null
            ? new Decision.Act(new Step.MintAuthority(side, Beside: null, unreadable?.Metadata.ResourceVersion))
            : new Decision.Act(new Step.Apply(new Authority(inUse, null, null).Secret(view.Cluster, side, unreadable?.Metadata.ResourceVersion)));
    }

    /// <summary>Null when every certificate fits and tells whom to trust.</summary>
    static Decision.Act? Issue(Diagnosis diagnosis, TlsSide side, Authority authority)
    {
        var view = diagnosis.View;
        foreach (var wanted in WantedCertificate.Of(diagnosis, side))
        {
            var secret = view.Secret(wanted.Secret);
            // cert-manager leaves the Secret of a Certificate that is deleted: that of a former StoreCluster of this name would be in the way for ever.
            if (view.Given.GetValueOrDefault(wanted.Secret) is { } left && ManagedCertificates.IsOf(left, wanted.Secret)) return new Decision.Act(new Step.DeleteSecret(wanted.Secret, left.Metadata.Uid));
            var leaf = Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry);
            // Without its key the authority is about to be replaced, and then the next one signs. Of one that is missing it does so before: its pod cannot start without,
            // and AuthorityRotation would wait for that pod to trust the next authority. Those who do not trust it either will in a minute.
            var signer = leaf?.KeyPem is null ? authority.Signer : authority.Current;
            if (Flaw(view, wanted, leaf, authority) is { } flaw && signer.KeyPem is not null)
                return new Decision.Act(new Step.IssueCertificate(wanted, authority, flaw));
            if (leaf is not null && OwnedSecret.Text(secret!, CertificateSecret.AuthorityEntry) != authority.Bundle)
                return new Decision.Act(new Step.Apply(CertificateSecret.OfLeaf(view.Cluster, wanted.Secret, leaf.Pem, leaf.KeyPem!, authority.Bundle, view.ObservedAt)));
        }

        return null;
    }

    /// <summary>Why it has to be signed anew; null when it need not be.</summary>
    public static string? Flaw(ClusterView view, WantedCertificate wanted, Certificate? leaf, Authority authority)
    {
        if (leaf?.KeyPem is null) return "it is missing";
        if (leaf.SignedBy != authority.Current.Key) return "its authority is not the one in use";
        if (!leaf.Names.Order(StringComparer.Ordinal).SequenceEqual(wanted.Names.Order(StringComparer.Ordinal))) return "its names have changed";
        return view.ObservedAt >= leaf.RenewAt ? "it is old" : null;
    }

    /// <summary>Before there are members nothing is begun that could not be finished; members that run go on with what they have.</summary>
    static Decision Await(Diagnosis diagnosis, TlsSide side)
    {
        if (Flaw(diagnosis, side) is not { } flaw) return Decision.NothingToDo;
        return diagnosis.View.Formed ? new Decision.Decline(flaw.Reason, flaw.Message) : new Decision.Halt(flaw.Reason, flaw.Message);
    }

    /// <summary>What is wrong with certificates that somebody else keeps or signs, in one word and in a sentence; null when all is well, and where the operator signs.</summary>
    public static (string Reason, string Message)? Flaw(Diagnosis diagnosis, TlsSide side) => diagnosis.View.Spec.Issuer(side)! switch
    {
        { SecretRefs: not null } => GivenCertificates.Flaw(diagnosis, side),
        { CertManager: not null } => ManagedCertificates.Flaw(diagnosis, side),
        _ => null,
    };

    /// <summary>Why a pod that is made anew would not serve: what it would mount is missing, or would be refused. Null when all is well, and where the operator signs.</summary>
    public static (string Reason, string Message)? Unmountable(Diagnosis diagnosis, MemberVerdict member)
    {
        var view = diagnosis.View;
        foreach (var side in view.Spec.WithTls().Where(side => !view.Spec.Issuer(side)!.IsSelfSigned))
        {
            if (view.Shown(member.Name, side) is not { } secret) return ("SecretMissing", $"{member.Name} keeps running as it is: the Secret of its {side.Word()} certificate does not exist");
            if ((CertificateFlaws.Of(secret, view.ObservedAt, serves: true) ?? GivenCertificates.NotFor(secret, [member.Name.Host(view.Namespace)])) is { } flaw) return (flaw.Reason, $"{member.Name} keeps running as it is: {flaw.Message}");
        }

        return null;
    }

    /// <summary>Certificates of members that are gone: their keys have no business here. cert-manager leaves the Secret of a Certificate that is deleted.</summary>
    static Decision Leftovers(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Membership is null || diagnosis.Operation is not null) return Decision.NothingToDo;
        bool OfNobody(IKubernetesObject<V1ObjectMeta> item) => CertificateNames.OwnerOf(view.Name, item.Metadata.Name) is { } member && diagnosis.Find(member.ToString()) is null;
        if (view.Managed.FirstOrDefault(item => view.Owns(item) && OfNobody(item)) is { } managed) return new Decision.Act(new Step.DeleteManagedCertificate(managed.Metadata.Name, managed.Metadata.Uid));
        var left = view.Secrets.FirstOrDefault(secret => view.Owns(secret) && OfNobody(secret))
            ?? view.Given.Values.FirstOrDefault(secret => OfNobody(secret) && ManagedCertificates.IsOf(secret, secret.Metadata.Name));
        return left is null ? Decision.NothingToDo : new Decision.Act(new Step.DeleteSecret(left.Metadata.Name, left.Metadata.Uid));
    }
}
