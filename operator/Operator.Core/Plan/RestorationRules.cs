namespace Operator.Core;

/// <summary>Taking a cluster that is there back to a backup: giving up an epoch, and beginning the next.</summary>
/// <remarks>
/// 1. a StoreRestore was confirmed and its safety backup is there; its uid goes to status as the new cluster token, with the epoch, what is to be restored, and the revision that it has to lie
///    above. Nothing has been touched, and from here on everything below belongs to the new epoch;
/// 2. every StatefulSet of a member with a number up to <see cref="RestorationStatus.RetiredThrough"/> is deleted, and the end of its pod awaited: no client can write to the old
///    cluster when the new one answers at the same Services;
/// 3. Form makes the seed as it makes any, with a number of its own and the restore container before its store. Until it has answered, the old members' volumes are untouched: a backup that
///    turns out to be damaged costs nothing but time;
/// 4. the cluster has formed: Scale and Join add the others, and the old volumes go as those of members that were removed.
/// Old and new never meet: they have different tokens, hence different ids, and no two members ever have the same number.
/// </remarks>
static class RestorationRules
{
    /// <summary>How long after the end of its grace period an old member's pod is waited for.</summary>
    static readonly TimeSpan EndMargin = TimeSpan.FromSeconds(10);

    public static Decision Begin(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Approved is not { Status: { EpochAfter: { } next, Source: { } source } approved } restore) return Decision.NothingToDo;
        // Epochs begin anew with a StoreCluster of the same name: what was confirmed for the one before is not for it.
        if (next == view.Epoch + 1 && approved.ClusterId == (view.Status.ClusterId ?? view.Status.Restoration?.FormerClusterId)) return new Decision.Act(new Step.BeginRestoration(source, Begun(view, restore, approved)));
        // Status was lost in between; token and epoch were found on the new seed's StatefulSet.
        return next == view.Epoch && view.Status.Restoration is null && view.Status.ClusterToken == restore.Metadata.Uid
            ? new Decision.Act(new Step.ResumeRestoration(source, Resumed(view, restore, approved)))
            : Decision.NothingToDo;
    }

    /// <summary>The old epoch's members: their StatefulSets, then the end of their pods.</summary>
    public static Decision Retire(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Status.Restoration is null) return Decision.NothingToDo;
        foreach (var set in view.StatefulSets.Where(set => view.Owns(set) && set.Metadata.DeletionTimestamp is null))
        {
            if (MemberName.Parse(view.Name, set.Metadata.Name) is { } member && view.IsRetired(member)) return new Decision.Act(new Step.DeleteStatefulSet(member, set.Metadata.Uid));
        }

        if (view.Pods.FirstOrDefault(pod => view.IsRetired(MemberName.OfPod(view.Name, pod.Metadata.Name))) is not { } left) return Decision.NothingToDo;
        // Its node may never answer. No Service leads to it any more.
        return left.Metadata.DeletionTimestamp is { } due && view.ObservedAt - due >= EndMargin
            ? new Decision.Act(new Step.DeletePod(left.Metadata.Name, left.Metadata.Uid, "its node does not confirm that it ended") { Force = true })
            : new Decision.Halt("PodStopping", $"waiting for pod {left.Metadata.Name} of the former epoch to end");
    }

    /// <summary>The old epoch's volumes, once nobody can want to go back to them.</summary>
    public static Decision Volumes(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (!view.Formed || view.Status.Restoration?.Retired is not { } retired || view.Spec.Storage.Retention.OnScaleIn != RetentionSpec.Delete) return Decision.NothingToDo;
        foreach (var member in retired.Select(name => MemberName.Parse(view.Name, name)).OfType<MemberName>())
        {
            if (view.Claims.FirstOrDefault(claim => claim.Metadata is { DeletionTimestamp: null } metadata && metadata.Name == member.Claim) is { } claim)
                return new Decision.Act(new Step.DeleteClaim(member, claim.Metadata.Name, claim.Metadata.Uid));
        }

        return Decision.NothingToDo;
    }

    static RestorationStatus Begun(ClusterView view, StoreRestore restore, StoreRestoreStatus approved)
    {
        var former = view.Status.Restoration;
        // A member whose volume was kept by retention before is none of ours to clean up. Of one that is just being removed nothing but its volume may be left.
        IEnumerable<string> leaving = view.Status.Operation is { Kind: Operations.Remove } removal ? [removal.Member] : [];
        var present = view.StatefulSets.Where(view.Owns).Select(set => set.Metadata.Name).Concat(view.Membership?.Members.Select(member => member.Name?.ToString()).OfType<string>() ?? []).Concat(leaving);
        return new RestorationStatus
        {
            Name = restore.Metadata.Name,
            Uid = restore.Metadata.Uid,
            FormerClusterId = view.Status.ClusterId ?? former?.FormerClusterId,
            AboveRevision = Highest(view, approved),
            RetiredThrough = Numbers.Next(view).Number - 1,
            // Of an epoch that has not formed, those of the one before are still kept.
            Retired = [.. (view.Formed ? [] : former?.Retired ?? []).Concat(present).Distinct().Order(StringComparer.Ordinal)],
            StartedAt = view.ObservedAt,
        };
    }

    /// <summary>The lowest number under the present token is the seed's; whoever is below was before.</summary>
    static RestorationStatus Resumed(ClusterView view, StoreRestore restore, StoreRestoreStatus approved)
    {
        var seed = view.StatefulSets.Where(set => view.Owns(set) && set.Metadata.Annotations?.TryGetValue(Annotations.ClusterToken, out var token) == true && token == view.Status.ClusterToken)
            .Select(set => MemberName.Parse(view.Name, set.Metadata.Name)?.Number).Min() ?? Numbers.Next(view).Number;
        return new RestorationStatus
        {
            Name = restore.Metadata.Name,
            Uid = restore.Metadata.Uid,
            FormerClusterId = approved.ClusterId,
            AboveRevision = Highest(view, approved),
            RetiredThrough = seed - 1,
            Retired = [.. view.Claims.Select(claim => Numbers.OfClaim(view.Name, claim.Metadata.Name)).OfType<MemberName>().Where(member => member.Number < seed).Order().Select(member => member.ToString())],
            StartedAt = view.ObservedAt,
        };
    }

    /// <summary>Of what members say now, what the backups knew, and what an earlier restore began above. Between this look and the end of the last member more is given out: that is what the
    /// restore's own raise (a billion) is for.</summary>
    static long Highest(ClusterView view, StoreRestoreStatus approved) => new[]
    {
        view.Reports.Values.Select(report => report.Revision).DefaultIfEmpty().Max(),
        view.Status.Backup?.RecoverableRevision ?? 0,
        approved.CurrentRevision ?? 0,
        view.Status.Restoration is { } former ? former.AboveRevision + RestoreContainer.Raise : 0,
    }.Max();
}
