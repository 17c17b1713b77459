namespace Operator.Core;

/// <summary>When a StatefulSet is given a template that needs a restart: when its pod is about to be restarted, and no sooner.</summary>
/// <remarks>
/// OnDelete spares pods that run. One that goes for any other reason comes back from the template that is there. Were all templates changed at once:
///   1. an image that nobody has is wanted; orders-3 restarts with it and fails, and nobody else is restarted, as it should be;
///   2. the pod of orders-2 is deleted, evicted or preempted, and comes back with the bad image as well;
///   3. two of three are gone, and the quorum with them.
/// With its own template still there, orders-2 comes back with what served.
/// </remarks>
static class Turn
{
    /// <summary>The template first, and in the next pass, which looks again, the pod. In between the pod may go by itself: then its turn was a little early.</summary>
    public static Decision.Act Restart(Diagnosis diagnosis, MemberVerdict member, string why) => member.HasWantedTemplate
        ? new Decision.Act(new Step.DeletePod(member.Pod!.Metadata.Name, member.Pod.Metadata.Uid, why))
        : new Decision.Act(new Step.Apply(Render.Member(diagnosis.View, member.Name, Render.TicketOf(diagnosis.View, member), member.Set)));

    /// <summary>Whether a StatefulSet keeps its template, and everything else that it was made with, until somebody restarts its pod (<see cref="Restart"/>).</summary>
    /// <remarks>Not one whose ticket has to change: sealing cannot wait (<see cref="Ticket"/>), the ticket's flags are in the template, and the rest of it can only be made
    /// from the spec as it is now. That is one member, which has just joined; <see cref="RestartRules.Roll"/> takes it first.</remarks>
    public static bool IsAwaited(Diagnosis diagnosis, MemberVerdict member, Ticket ticket) =>
        member.Set is not null && !member.HasWantedTemplate && Ticket.Of(member.Set) == ticket && !NeedsNone(diagnosis, member);

    /// <summary>
    /// Nothing is lost with the template that is there:
    /// - its pod runs what is wanted already (the wish was taken back between template and pod);
    /// - no pod can be made from it, as what it names is refused;
    /// - neither its own pod nor anybody else's was made from it, and what is wanted has changed again;
    /// - it does not serve, nobody else runs what it runs, and all who have the wanted one serve.
    /// </summary>
    static bool NeedsNone(Diagnosis diagnosis, MemberVerdict member)
    {
        if (member is { Pod: not null, Outdated: false } or { Pod: null, Health.State: MemberState.Failed }) return true;
        if (member.Pod is not null && member.Held != member.Running && !IsRunByOthers(diagnosis, member, member.Held)) return true;
        var others = diagnosis.Members.Where(other => other.Name != member.Name);
        return !member.Ready && !IsRunByOthers(diagnosis, member, member.Running ?? member.Held)
            && others.All(other => !other.HasWantedTemplate || other is { Ready: true, Outdated: false });
    }

    /// <summary>Whether a restart may do a stuck pod good while the wanted template has yet to run elsewhere.
    ///   1. an image that nobody has is wanted; orders-3 restarts with it and fails, as it should be;
    ///   2. the node of orders-1 dies: no quorum, so orders-2 runs, but is not ready. Or the pod of orders-2 was preempted and waits for room, while orders-1 runs;
    ///   3. restarting orders-2 with the bad image would leave nobody.
    /// It does where the pod does not run, and nobody else's does from that template: then a bad one is replaced, even where there is no quorum.</summary>
    public static bool MayHelp(Diagnosis diagnosis, MemberVerdict member)
    {
        var others = diagnosis.Members.Where(other => other is { HasWantedTemplate: true, Outdated: false } && other.Name != member.Name);
        return PodVerdict.Runs(member.Pod!)
            ? !others.Any(other => other.Pod is { } pod && PodVerdict.CannotStart(pod, other.Name))
            : !IsRunByOthers(diagnosis, member, member.Running) || others.All(other => other.Pod is { } pod && PodVerdict.Runs(pod) && !RestartRules.Overdue(diagnosis, other));
    }

    static bool IsRunByOthers(Diagnosis diagnosis, MemberVerdict member, string? template) =>
        diagnosis.Members.Any(other => other.Name != member.Name && other is { Pod: { } pod } && other.Running == template && PodVerdict.Runs(pod));
}
