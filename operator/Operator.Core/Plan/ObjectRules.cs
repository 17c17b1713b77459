using k8s;
using k8s.Models;

namespace Operator.Core;

/// <summary>Rules that make Kubernetes objects, and apply them again when they would be rendered differently.</summary>
static class ObjectRules
{
    public static Decision Services(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        return Keep(PeerService.Build(view.Cluster), view.Services) ?? Keep(ClientService.Build(view.Cluster), view.Services) ?? Decision.NothingToDo;
    }

    public static Decision Budget(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Spec.Disruption.Budget) return Keep(DisruptionBudget.Build(view.Cluster, diagnosis.Voters.Count()), view.Budgets) ?? Decision.NothingToDo;
        var unwanted = view.Budgets.FirstOrDefault(budget => budget.Metadata is { DeletionTimestamp: null } metadata && metadata.Name == Names.Budget(view.Name));
        return unwanted is null ? Decision.NothingToDo : new Decision.Act(new Step.DeleteBudget(unwanted.Metadata.Name, unwanted.Metadata.Uid));
    }

    /// <summary>Makes what is missing, and patches what this operator would now render differently (see <see cref="Applied"/>): an edit by hand
    /// stays until then. No pod is restarted by it, and a template that needs a restart is left to who restarts the pod (<see cref="Turn"/>).</summary>
    public static Decision StatefulSets(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        foreach (var member in diagnosis.Members.Where(member => member.Health.State != MemberState.Leaving))
        {
            var ticket = member.Set is null ? MissingTicket(view, member) : Render.TicketOf(view, member);
            if (ticket is null || Turn.IsAwaited(diagnosis, member, ticket)) continue;
            if (Keep(Render.Member(view, member.Name, ticket, member.Set), view.StatefulSets) is { } apply) return apply;
        }

        return Decision.NothingToDo;
    }

    /// <summary>The ticket for a member whose StatefulSet is not there: it was just added, or somebody deleted the StatefulSet.</summary>
    static Ticket? MissingTicket(ClusterView view, MemberVerdict member) => member.Listed switch
    {
        { Started: false } => Ticket.Join(view.Membership!, view.Namespace, view.PeerScheme),
        { Started: true } => Ticket.Sealed(member.Name, view.Namespace, view.PeerScheme),
        // Nobody can read the member list: with its volume back, a member that we knew may be what the quorum lacks.
        null when view.Membership is null && member.Claim is not null => Ticket.Sealed(member.Name, view.Namespace, view.PeerScheme),
        null => null,
    };

    /// <summary>Volumes go with the StoreCluster or outlive it, as spec.storage.retention.onDelete says; and a wish to change them is answered.</summary>
    public static Decision Claims(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        var owned = view.Spec.DeletesData;
        foreach (var claim in diagnosis.Members.Select(member => member.Claim).OfType<V1PersistentVolumeClaim>())
        {
            if (view.Owns(claim) != owned) return new Decision.Act(new Step.OwnClaim(claim.Metadata.Name, owned));
        }

        var wanted = view.Spec.Storage.Size.ToResourceQuantity().ToDecimal();
        foreach (var member in diagnosis.Members)
        {
            if (member.Set?.Spec.VolumeClaimTemplates?.FirstOrDefault() is not { } template) continue;
            var held = (member.Claim is null ? null : VolumeRules.Requested(member.Claim)) ?? VolumeRules.Requested(template);
            if (held > wanted || template.Spec.StorageClassName != view.Spec.Storage.StorageClassName)
            {
                return new Decision.Decline("StorageUnchangeable",
                    $"spec.storage.size cannot shrink and storageClassName cannot change once members exist; {member.Name} keeps the volume that it was made with");
            }
        }

        return Decision.NothingToDo;
    }

    static Decision.Act? Keep<T>(T rendered, IReadOnlyList<T> live) where T : IKubernetesObject<V1ObjectMeta>
    {
        var there = live.FirstOrDefault(item => item.Metadata.Name == rendered.Metadata.Name);
        return there is not null && Applied.IsCurrent(there, rendered) ? null : new Decision.Act(new Step.Apply(rendered));
    }
}
