using k8s.Models;

namespace Operator.Core;

/// <summary>A member that does not come back by itself: its disk or its node is gone.</summary>
/// <param name="Since">When that began; what healing waits is counted from here.</param>
public sealed record Loss(string Reason, DateTime Since, string Message)
{
    public const string NodeLost = "NodeLost";

    /// <summary>What the scheduler says of a pod whose volume is bound to a node that is not there.</summary>
    const string VolumeElsewhere = "volume node affinity conflict";

    /// <summary>A cordoned node comes back when its maintenance is over: nobody's loss.</summary>
    const string Cordoned = "were unschedulable";

    public static Loss? Of(V1Pod? pod, V1PersistentVolumeClaim? claim, bool answers, Health health)
    {
        if (answers || pod is null) return null;
        var unready = Transition(pod, "Ready") ?? pod.Metadata.CreationTimestamp;
        if (health.Reason == PodVerdict.DiskLost) return new Loss(PodVerdict.DiskLost, unready ?? DateTime.MinValue, health.Message);
        if (claim?.Status?.Phase == "Lost")
            return new Loss(PodVerdict.DiskLost, unready ?? DateTime.MinValue, $"volume claim {claim.Metadata.Name} has lost its volume");
        // deletionTimestamp is when the grace period ends, and a kubelet that lives is done by then. A grace of 0 is its last word, just before the pod goes.
        if (pod.Metadata is { DeletionTimestamp: not null, DeletionGracePeriodSeconds: 0 }) return null;
        if (pod.Metadata.DeletionTimestamp is { } due) return new Loss(NodeLost, due, $"pod {pod.Metadata.Name} should have ended on node {pod.Spec?.NodeName}, whose kubelet does not say so");
        return Homeless(pod, claim) ?? Silent(pod, unready);
    }

    /// <summary>Its data is on a node that no longer exists.</summary>
    static Loss? Homeless(V1Pod pod, V1PersistentVolumeClaim? claim)
    {
        var scheduled = Condition(pod, "PodScheduled");
        return scheduled is { Status: "False", Message: { } message } && claim?.Status?.Phase == "Bound"
            && message.Contains(VolumeElsewhere, StringComparison.Ordinal) && !message.Contains(Cordoned, StringComparison.Ordinal)
            ? new Loss(NodeLost, scheduled.LastTransitionTime ?? DateTime.MaxValue, $"the node that holds the volume of pod {pod.Metadata.Name} is gone: {message}")
            : null;
    }

    /// <summary>
    /// The kubelet's last word was that the container is ready; that the pod is unready can then only come from the node controller, which no longer hears the
    /// kubelet. A kubelet that lives says it of the container first: such a member starts late, reads a long log or hangs, and comes back or is restarted.
    /// </summary>
    static Loss? Silent(V1Pod pod, DateTime? since)
    {
        var container = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == "store");
        return container is { Ready: true } && Condition(pod, "Ready")?.Status == "False" && since is { } began
            ? new Loss(NodeLost, began, $"node {pod.Spec?.NodeName} of pod {pod.Metadata.Name} is silent")
            : null;
    }

    static DateTime? Transition(V1Pod pod, string type) => Condition(pod, type)?.LastTransitionTime;

    static V1PodCondition? Condition(V1Pod pod, string type) => pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);
}
