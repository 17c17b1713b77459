using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Marks an object with its own fingerprint, so that the operator applies again only what it would render differently.</summary>
static class Applied
{
    public static T Stamp<T>(T rendered) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var fingerprint = Fingerprint.Of(rendered);
        rendered.Metadata.Annotations ??= new Dictionary<string, string>();
        rendered.Metadata.Annotations[Annotations.Applied] = fingerprint;
        return rendered;
    }

    public static bool IsCurrent(IKubernetesObject<V1ObjectMeta> live, IKubernetesObject<V1ObjectMeta> rendered) =>
        live.Metadata.Annotations is { } annotations
        && annotations.TryGetValue(Annotations.Applied, out var fingerprint)
        && fingerprint == rendered.Metadata.Annotations[Annotations.Applied];
}
