namespace Operator.Core;

/// <summary>What a handshake with a member told.</summary>
/// <param name="Serial">Of the certificate that it showed; null when it did not come so far.</param>
/// <param name="AcceptsNext">Whether it took a certificate that the next authority had signed.</param>
public sealed record Handshake(string? Serial, bool AcceptsNext);

/// <summary>A handshake that would tell something that is not known.</summary>
/// <param name="ByNext">With a certificate of the next authority; else with one of the authority in use.</param>
public sealed record WantedHandshake(MemberName Member, TlsSide Side, bool ByNext)
{
    /// <summary>While an authority is announced, and until each member has been seen to show its present certificate; none at rest.</summary>
    public static IEnumerable<WantedHandshake> Of(ClusterView view)
    {
        foreach (var side in view.Spec.WithTls())
        {
            var announcing = view.Status.Tls?.Of(side)?.Rotation?.Phase == RotationStatus.Announcing && Authority.Read(view.Secret(CertificateNames.Authority(view.Name, side)))?.Next is not null;
            foreach (var pod in view.Pods)
            {
                if (MemberName.OfPod(view.Name, pod.Metadata.Name) is { } member && (announcing || !CertificateReport.Loaded(view, member, side)))
                    yield return new WantedHandshake(member, side, announcing);
            }
        }
    }
}
