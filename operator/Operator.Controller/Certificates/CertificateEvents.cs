using Operator.Core;

namespace Operator.Controller;

/// <summary>What people want to see of certificates in <c>kubectl describe</c>.</summary>
static class CertificateEvents
{
    public static void Tell(EventRecorder events, StoreCluster cluster, Step step)
    {
        switch (step)
        {
            case Step.MintAuthority { Beside: null } mint:
                events.Normal(cluster, "AuthorityMade", $"the {mint.Side.Word()} authority was made");
                break;
            case Step.IssueCertificate issue:
                events.Normal(cluster, "CertificateIssued", $"certificate {issue.Wanted.Secret} was signed: {issue.Why}");
                break;
            case Step.Rotate { Rotation.Phase: RotationStatus.Announcing } rotate:
                events.Normal(cluster, "AuthorityRotation", $"the {rotate.Side.Word()} authority is being replaced: {rotate.Rotation.Reason}");
                break;
            case Step.FinishRotation rotated:
                events.Normal(cluster, "AuthorityRotated", $"the {rotated.Side.Word()} authority was replaced");
                break;
        }
    }
}
