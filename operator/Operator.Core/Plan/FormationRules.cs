using System.Globalization;

namespace Operator.Core;

/// <summary>How a cluster comes to be, once.</summary>
static class FormationRules
{
    /// <summary>The token is in status before the first object exists, and with it what a StoreBackup's name stood for. StatefulSets carry it too: a StoreCluster whose status was lost (restored from a
    /// backup of Kubernetes objects, say) finds its name again instead of becoming another cluster.</summary>
    public static Decision MintToken(Diagnosis diagnosis)
    {
        if (diagnosis.View.Status.ClusterToken is not null) return Decision.NothingToDo;
        var (recovered, epoch) = diagnosis.Members.Select(member => member.Set?.Metadata.Annotations).OfType<IDictionary<string, string>>()
            .Where(annotations => annotations.ContainsKey(Annotations.ClusterToken)).Select(annotations => (Token: (string?)annotations[Annotations.ClusterToken], Epoch: EpochOf(annotations)))
            .OrderByDescending(found => found.Epoch ?? 1).FirstOrDefault();
        var source = RestoreSource.Of(diagnosis.View);
        if (source is RestoreSource.Awaited awaited && !HasBegun(diagnosis)) return new Decision.Halt(awaited.Reason, awaited.Message);
        return new Decision.Act(new Step.MintToken(recovered)
        {
            Epoch = epoch,
            Tls = TlsSides.Latch(diagnosis.View.Spec),
            Bootstrap = BootstrapValidation.Latch(diagnosis.View.Spec),
            Restore = diagnosis.View.Spec.Bootstrap?.Restore?.Backup is null ? null : (source as RestoreSource.Found)?.Restore,
        });
    }

    /// <summary>
    /// One seed, one time for each token:
    ///   1. number and operation go to status;
    ///   2. the seed's StatefulSet is made with state "new";
    ///   3. it answers, and its cluster id and the time are latched in status. From here on "new" is never rendered again under this token.
    /// A crash between any two of these resumes at the next.
    /// </summary>
    /// <remarks>Only who has a StatefulSet of this StoreCluster speaks for it:
    ///   1. a StoreCluster is deleted and made anew at once, by kubectl replace --force for example;
    ///   2. the StatefulSets of the former are collected, and its pods have half a minute to end, in which they answer;
    ///   3. were their store taken for this one, its members would be made again, on volumes that may be gone as well.</remarks>
    public static Decision Form(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Formed) return Decision.NothingToDo;
        if (view.Membership is { } membership)
        {
            return diagnosis.Members.Any(member => member.Set is not null && member.Report?.ClusterId == membership.ClusterId)
                ? new Decision.Act(new Step.LatchFormed(membership.ClusterId))
                : new Decision.Halt("PodStopping", "pods of an earlier StoreCluster of this name still answer; they are waited for until they have ended");
        }

        if (diagnosis.Members.Any(HasJoined))
            return new Decision.Halt("StatusLost", "members exist that have joined a cluster; waiting for one of them to answer instead of forming another cluster");
        if (view.Epoch > 1 && view.Status.Restoration is null)
            return new Decision.Halt("StatusLost", $"epoch {view.Epoch} began with a StoreRestore that is gone, as is what status said of it; nothing is formed in its place. Make another StoreRestore, with from and clusterId");
        if (diagnosis.Operation is not { Kind: Operations.Form } operation)
            return new Decision.Act(new Step.StartOperation(Operations.Form, BegunSeed(diagnosis) ?? Numbers.Next(view)));
        if (RestoreSource.Of(view) is RestoreSource.Awaited awaited) return new Decision.Halt(awaited.Reason, awaited.Message);
        var seed = diagnosis.Find(operation.Member)!;
        if (seed.Set is null) return new Decision.Act(new Step.Apply(Render.Member(view, seed.Name, Ticket.Form(seed.Name, view.Namespace, view.PeerScheme), set: null)));
        var rendered = Render.Member(view, seed.Name, Ticket.Form(seed.Name, view.Namespace, view.PeerScheme), seed.Set);
        if (!Applied.IsCurrent(seed.Set, rendered) || !seed.HasWantedTemplate) return new Decision.Act(new Step.Apply(rendered));
        if (seed is { Outdated: true, Ready: false, Pod: { Metadata.DeletionTimestamp: null } pod })
            return new Decision.Act(new Step.DeletePod(pod.Metadata.Name, pod.Metadata.Uid, "it runs an older template and is not ready"));
        return new Decision.Halt("SeedStarting", seed.Health.Message.Length > 0 ? seed.Health.Message : $"waiting for {seed.Name} to form the cluster");
    }

    static int? EpochOf(IDictionary<string, string> annotations) =>
        annotations.TryGetValue(Annotations.Epoch, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : null;

    /// <summary>Status was lost after it was made. A second seed beside it would form a second cluster with the same token.</summary>
    static MemberName? BegunSeed(Diagnosis diagnosis) => diagnosis.Members.FirstOrDefault(member => member.Set is not null && Ticket.Of(member.Set) is { Kind: TicketKind.Form })?.Name;

    /// <summary>Then nothing is restored any more, whatever has become of the StoreBackup since.</summary>
    static bool HasBegun(Diagnosis diagnosis) => diagnosis.View.Membership is not null || diagnosis.Members.Any(HasJoined);

    static bool HasJoined(MemberVerdict member) => member.Set is not null && Ticket.Of(member.Set) is { Kind: not TicketKind.Form };
}
