using k8s.Models;

namespace Operator.Core;

/// <summary>Volumes that are to be larger.</summary>
/// <remarks>A StatefulSet's claim template cannot be changed and need not be: the claim itself grows, and a claim is never made twice from one template, since a
/// member that lost its disk is replaced by one with another number.</remarks>
static class VolumeRules
{
    /// <summary>Last of all rules: a StorageClass that refuses must not keep anything else from being done.</summary>
    public static Decision Expand(Diagnosis diagnosis)
    {
        if (diagnosis.Operation is not null) return Decision.NothingToDo;
        var wanted = Amount(diagnosis.View.Spec.Storage.Size.ToResourceQuantity());
        var claims = diagnosis.Members.Select(member => member.Claim).OfType<V1PersistentVolumeClaim>().Where(claim => claim.Metadata.DeletionTimestamp is null).ToList();
        if (claims.FirstOrDefault(claim => Requested(claim) < wanted) is { } small)
            return new Decision.Act(new Step.ResizeClaim(small.Metadata.Name, diagnosis.View.Spec.Storage.Size));
        return claims.FirstOrDefault(claim => Capacity(claim) < Requested(claim)) is { } growing
            ? new Decision.Decline("VolumeResizing", $"volume claim {growing.Metadata.Name} has {growing.Status.Capacity["storage"]} of {growing.Spec.Resources.Requests["storage"]} so far")
            : Decision.NothingToDo;
    }

    /// <summary>What a claim asks for; null when it does not say.</summary>
    public static decimal? Requested(V1PersistentVolumeClaim claim) =>
        claim.Spec?.Resources?.Requests is { } requests && requests.TryGetValue("storage", out var size) ? Amount(size) : null;

    static decimal? Capacity(V1PersistentVolumeClaim claim) =>
        claim.Status?.Capacity is { } capacity && capacity.TryGetValue("storage", out var size) ? Amount(size) : null;

    static decimal Amount(ResourceQuantity quantity) => quantity.ToDecimal();
}
