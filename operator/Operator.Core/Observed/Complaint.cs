using k8s.Models;

namespace Operator.Core;

/// <summary>A warning that Kubernetes gave about one of the cluster's objects, as an event: the only place where it says why a pod is not made, a volume not
/// provided or a Secret not mounted.</summary>
/// <param name="Kind">Of the object: StatefulSet, Pod or PersistentVolumeClaim.</param>
public sealed record Complaint(string Kind, string Name, string Uid, string Reason, string Message)
{
    /// <summary>How long a pod may be on its way before anybody is asked what keeps it.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether something of the cluster has been on its way for so long that events are worth reading.</summary>
    public static bool MayExist(IEnumerable<V1StatefulSet> sets, IReadOnlyList<V1Pod> pods, DateTime now) => sets.Any(set =>
    {
        var pod = pods.FirstOrDefault(pod => pod.Metadata.Name == $"{set.Metadata.Name}-0");
        var began = pod?.Metadata.CreationTimestamp ?? set.Metadata.CreationTimestamp;
        var started = pod?.Status?.ContainerStatuses?.FirstOrDefault(container => container.Name == "store")?.Started == true;
        return !started && (began is null || now - began >= Patience);
    });

    /// <summary>What is known of a member that is not ready, made precise by what Kubernetes complained about; a complaint that does not fit its state is past.</summary>
    public static Health Explain(Health health, MemberName member, V1StatefulSet set, V1Pod? pod, V1PersistentVolumeClaim? claim, IReadOnlyList<Complaint> all) => health.Reason switch
    {
        PodVerdict.PodMissing when Of(all, set, "FailedCreate") is { } said =>
            new Health(MemberState.Failed, said.Contains("exceeded quota", StringComparison.Ordinal) ? "QuotaExceeded" : "PodRefused", $"StatefulSet {member} cannot make pod {member.Pod}: {said}"),
        PodVerdict.VolumePending when claim is not null && Of(all, claim, "ProvisioningFailed") is { } said =>
            new Health(MemberState.Failed, PodVerdict.VolumePending, $"volume claim {member.Claim} gets no volume: {said}"),
        PodVerdict.Starting when pod is not null && (Of(all, pod, "FailedMount") ?? Of(all, pod, "FailedAttachVolume")) is { } said =>
            new Health(MemberState.Failed, "MountFailed", $"pod {member.Pod} cannot mount a volume: {said}"),
        _ => health,
    };

    /// <summary>The kubelet says "secret X not found" and "timed out waiting" by turns: the first names the cause.</summary>
    static string? Of(IReadOnlyList<Complaint> all, k8s.IKubernetesObject<V1ObjectMeta> item, string reason) => all
        .Where(complaint => complaint.Uid == item.Metadata.Uid && complaint.Reason == reason)
        .OrderByDescending(complaint => complaint.Message.Contains("not found", StringComparison.Ordinal)).ThenBy(complaint => complaint.Message, StringComparer.Ordinal)
        .FirstOrDefault()?.Message.Trim();
}
