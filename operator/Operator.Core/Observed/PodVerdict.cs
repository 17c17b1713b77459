using k8s.Models;

namespace Operator.Core;

public enum MemberState
{
    Ready,
    Starting,
    NotReady,
    Failed,
    Missing,
    Leaving,
}

/// <param name="Reason">One word, empty when ready.</param>
/// <param name="Message">A sentence that names the pod and what is wrong with it.</param>
public readonly record struct Health(MemberState State, string Reason = "", string Message = "");

/// <summary>What the kubelet and the scheduler say about a member's pod, in the words that go to status.</summary>
public static class PodVerdict
{
    public const string ImagePullFailed = "ImagePullFailed";

    public const string CrashLooping = "CrashLooping";

    public const string DiskLost = "DiskLost";

    /// <summary>What the store says when it is sealed (<see cref="Ticket"/>) and finds nothing on its disk.</summary>
    const string DiskLostWords = "its disk is empty";

    public const string Unschedulable = "Unschedulable";
    public const string PodMissing = "PodMissing";
    public const string VolumePending = "VolumePending";
    public const string Starting = "Starting";
    const string ReadinessFailed = "ReadinessFailed";

    public const string RestoreFailed = "RestoreFailed";
    public const string Restoring = "Restoring";

    static readonly HashSet<string> ImageReasons =
        ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"];

    static readonly HashSet<string> NormalWaits = ["ContainerCreating", "PodInitializing"];

    /// <summary>How long a pod may take to start, or be unready, before that counts as stuck.</summary>
    public static readonly TimeSpan StuckAfter = TimeSpan.FromMinutes(1);

    /// <summary>Whether the kubelet and the scheduler say that the pod gets nowhere: failed, unschedulable, or not ready for <see cref="StuckAfter"/>.</summary>
    public static bool IsStuck(V1Pod pod, MemberName member, DateTime now) => Of(pod, member) switch
    {
        { State: MemberState.Failed } or { Reason: Unschedulable } => true,
        { State: MemberState.Starting } or { Reason: ReadinessFailed } => Condition(pod, "Ready")?.LastTransitionTime is { } since && now - since >= StuckAfter,
        _ => false,
    };

    public static bool Runs(V1Pod pod) => pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == "store")?.Started == true;

    /// <summary>Whether it gets nowhere for a reason of its own: its image, its node, its end.</summary>
    public static bool CannotStart(V1Pod pod, MemberName member) => Of(pod, member) is { State: MemberState.Failed } or { Reason: Unschedulable };

    public static Health Of(V1Pod? pod, MemberName member)
    {
        if (pod is null) return new Health(MemberState.Missing, PodMissing, $"pod {member.Pod} does not exist yet; should it stay so, kubectl describe statefulset {member} says why (a quota, say, or a ServiceAccount that is not there)");
        if (pod.Metadata.DeletionTimestamp is not null) return new Health(MemberState.NotReady, "Terminating", $"pod {member.Pod} is being deleted");
        var container = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == "store");
        if (LastWords(container)?.Contains(DiskLostWords, StringComparison.Ordinal) == true)
        {
            return new Health(MemberState.Failed, DiskLost,
                $"pod {member.Pod}: its disk is empty though {member} has been a member before; it is replaced by a new member, by spec.healing or after etcdctl member remove");
        }

        if (OfRestore(pod, member) is { } restoring) return restoring;
        if (container?.State?.Waiting is { Reason: { } waiting } wait && !NormalWaits.Contains(waiting))
            return OfWaiting(pod, member, container, wait);
        if (container?.State?.Terminated is { } ended)
            return new Health(MemberState.Failed, "Exited", $"{Exited(member, ended)}{Tail(ended.Message)}");
        if (Condition(pod, "PodScheduled") is { Status: "False" } unscheduled)
            return new Health(MemberState.Starting, Unschedulable, $"pod {member.Pod} cannot be scheduled: {unscheduled.Message}");
        if (Condition(pod, "Ready")?.Status == "True") return new Health(MemberState.Ready);
        if (container?.Started != true) return new Health(MemberState.Starting, Starting, $"pod {member.Pod} is starting{Tail(container?.State?.Waiting?.Reason)}");
        return new Health(MemberState.NotReady, ReadinessFailed, $"pod {member.Pod} runs but does not answer its readiness probe");
    }

    /// <summary>Null when nothing is restored there, or it is done.</summary>
    static Health? OfRestore(V1Pod pod, MemberName member)
    {
        if (pod.Status?.InitContainerStatuses?.FirstOrDefault(status => status.Name == RestoreContainer.Name) is not { } restore) return null;
        if (restore.State?.Terminated is { ExitCode: 0 }) return null;
        if ((restore.State?.Terminated ?? restore.LastState?.Terminated) is { ExitCode: not 0 } failed)
            return new Health(MemberState.Failed, RestoreFailed, $"pod {member.Pod} cannot restore the backup (exit code {failed.ExitCode}){Tail(failed.Message)}");
        return restore.State?.Running is not null ? new Health(MemberState.Starting, Restoring, $"pod {member.Pod} is restoring the backup") : null;
    }

    static Health OfWaiting(V1Pod pod, MemberName member, V1ContainerStatus container, V1ContainerStateWaiting wait)
    {
        if (ImageReasons.Contains(wait.Reason))
        {
            return new Health(MemberState.Failed, ImagePullFailed, $"{PullFailed(pod, member)}: {wait.Message ?? wait.Reason}");
        }

        return wait.Reason == "CrashLoopBackOff" && container.LastState?.Terminated is { } ended
            ? new Health(MemberState.Failed, CrashLooping, $"{Exited(member, ended)}{Tail(ended.Message)}; see kubectl logs {member.Pod}")
            : new Health(MemberState.Failed, wait.Reason, $"pod {member.Pod}: {wait.Message ?? wait.Reason}");
    }

    /// <summary>What the kubelet says by turns while nothing comes of it, one attempt after the other, is kept as it was said first: it names the cause, and status is not
    /// written again and again for it. An image that cannot be pulled: between two attempts many a kubelet says only that it waits. A crash loop: for a moment the
    /// container runs, then it has exited, then it waits, and each time it has other words for the time of day.</summary>
    /// <param name="before">The member's status so far.</param>
    public static Health KeepCause(Health health, V1Pod? pod, MemberName member, MemberStatus? before, DateTime now) => (before?.Reason, health.Reason) switch
    {
        (ImagePullFailed, ImagePullFailed) when before.Message!.StartsWith(PullFailed(pod!, member), StringComparison.Ordinal)
            && pod!.Status.ContainerStatuses.Any(container => container.State?.Waiting?.Reason == "ImagePullBackOff") => health with { Message = before.Message },
        (CrashLooping, CrashLooping) => SaysTheSame(before.Message!, health.Message) ? health with { Message = before.Message! } : health,
        (CrashLooping, "Exited" or Starting or ReadinessFailed) when IsNextAttempt(pod!, member, before.Message!, now) => new Health(MemberState.Failed, CrashLooping, before.Message!),
        _ => health,
    };

    /// <summary>Whether the container of the pod that looped has ended once more, or was started too recently for anybody to say that it will not.</summary>
    static bool IsNextAttempt(V1Pod pod, MemberName member, string said, DateTime now)
    {
        var container = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == "store");
        if ((container?.State?.Terminated ?? container?.LastState?.Terminated) is not { } ended || !said.StartsWith(Exited(member, ended), StringComparison.Ordinal)) return false;
        return container!.State?.Running is not { StartedAt: { } since } || now - since < StuckAfter;
    }

    static string Exited(MemberName member, V1ContainerStateTerminated ended) => $"pod {member.Pod}: the store exited with code {ended.ExitCode}";

    /// <summary>Apart from times, counts and addresses.</summary>
    static bool SaysTheSame(string before, string now) => before.Where(letter => !char.IsAsciiDigit(letter)).SequenceEqual(now.Where(letter => !char.IsAsciiDigit(letter)));

    /// <summary>The status's image may be empty until the image is there; the spec's is what was asked for.</summary>
    static string PullFailed(V1Pod pod, MemberName member) =>
        $"pod {member.Pod}: image \"{pod.Spec?.Containers?.FirstOrDefault(spec => spec.Name == "store")?.Image}\" cannot be pulled";

    /// <summary>Of a store that does not run, what it said at its end.</summary>
    static string? LastWords(V1ContainerStatus? container) =>
        container?.State?.Terminated?.Message ?? (container?.State?.Waiting is null ? null : container.LastState?.Terminated?.Message);

    /// <summary>Since when the kubelet calls the pod ready; null when it does not.</summary>
    public static DateTime? ReadySince(V1Pod? pod) =>
        pod is not null && Condition(pod, "Ready") is { Status: "True" } ready ? ready.LastTransitionTime : null;

    static V1PodCondition? Condition(V1Pod pod, string type) => pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);

    /// <summary>The last line: a termination message may be the end of the log.</summary>
    static string Tail(string? text) => string.IsNullOrWhiteSpace(text) ? "" : ": " + text.Trim().Split('\n')[^1];
}
