using k8s.Models;

namespace Operator.Core;

/// <summary>A member's StatefulSet as it ought to be now, given the one that is there.</summary>
static class Render
{
    public static V1StatefulSet Member(ClusterView view, MemberName name, Ticket ticket, V1StatefulSet? set)
    {
        var (cluster, image) = Rollback.Effective(view);
        return MemberStatefulSet.Build(WithStorageOf(cluster, set), name, ticket, view.Status.ClusterToken!, image);
    }

    /// <summary>The ticket of a member that has a StatefulSet: it only ever moves towards sealed.</summary>
    public static Ticket TicketOf(ClusterView view, MemberVerdict member)
    {
        var held = member.Set is null ? null : Ticket.Of(member.Set);
        return held is { Kind: TicketKind.Join } && member.Listed is not { Started: true }
            ? held
            : Ticket.Sealed(member.Name, view.Namespace, view.PeerScheme);
    }

    /// <summary>Volume claim templates cannot be changed, so a StatefulSet keeps what it was made with. See <see cref="ObjectRules.Claims"/>.</summary>
    static StoreCluster WithStorageOf(StoreCluster cluster, V1StatefulSet? set)
    {
        if (set?.Spec.VolumeClaimTemplates is not [{ Spec: { } claim }]) return cluster;
        var storage = cluster.Spec.Storage;
        var size = claim.Resources.Requests["storage"];
        return cluster with
        {
            Spec = cluster.Spec with
            {
                Storage = storage with
                {
                    Size = SameSize(storage.Size, size) ? storage.Size : new Quantity(size.ToString()),
                    StorageClassName = claim.StorageClassName,
                },
            },
        };
    }

    public static bool SameSize(Quantity wanted, ResourceQuantity actual) => wanted.ToResourceQuantity().ToDecimal() == actual.ToDecimal();
}
