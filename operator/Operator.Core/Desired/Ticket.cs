using k8s.Models;

namespace Operator.Core;

/// <summary>What a member with an <em>empty</em> disk may do. A disk that holds a member's data decides over any ticket.</summary>
/// <remarks>
/// The life of a ticket, for the second member of <c>orders</c>:
/// <code>
/// join    --initial-cluster=orders-1=...,orders-2=... --initial-cluster-state=existing   until it has joined
/// sealed  --initial-cluster=orders-2=...              --initial-cluster-state=existing   from then on
/// </code>
/// A sealed member that comes back with an empty disk finds nobody to join and fails, loudly and for ever. Were it still to hold its first ticket:
///   1. orders-1 forms the cluster, three members serve, a client writes x;
///   2. orders-1 loses its disk and is started with state "new" again;
///   3. it forms a second cluster with the very same ids, answers health checks, and does not know x.
/// A joiner that joined again with its old id and an empty log would break promises it had made (its vote, its acknowledgements) just the same.
/// Changing a StatefulSet's template restarts nothing (OnDelete), so sealing needs no restart and never waits for one (<see cref="Turn"/>).
/// </remarks>
public sealed record Ticket(TicketKind Kind, string InitialCluster)
{
    /// <param name="scheme">Of the peers' URLs.</param>
    public static Ticket Form(MemberName member, string @namespace, string scheme = "http") => new(TicketKind.Form, Entry(member, @namespace, scheme));

    /// <inheritdoc cref="Form"/>
    public static Ticket Sealed(MemberName member, string @namespace, string scheme = "http") => new(TicketKind.Sealed, Entry(member, @namespace, scheme));

    /// <summary>For a member that has been added: everybody in the list, itself included.</summary>
    /// <inheritdoc cref="Form"/>
    public static Ticket Join(Membership membership, string @namespace, string scheme = "http") => new(
        TicketKind.Join,
        string.Join(',', membership.Members.Where(member => member.Name is not null).OrderBy(member => member.Name!.Value.Number)
            .Select(member => Entry(member.Name!.Value, @namespace, scheme))));

    /// <summary>"new" belongs to a phase of the cluster, not to a member: only the one that forms it ever says so.</summary>
    public string InitialClusterState => Kind == TicketKind.Form ? "new" : "existing";

    /// <summary>The ticket that a StatefulSet was made with; null when its annotations tell of none.</summary>
    public static Ticket? Of(V1StatefulSet set)
    {
        var annotations = set.Metadata.Annotations;
        return annotations is not null
            && annotations.TryGetValue(Annotations.Ticket, out var kind) && Enum.TryParse<TicketKind>(kind, ignoreCase: true, out var parsed)
            && annotations.TryGetValue(Annotations.InitialCluster, out var members)
            ? new Ticket(parsed, members)
            : null;
    }

    static string Entry(MemberName member, string @namespace, string scheme) => $"{member}={member.PeerUrl(@namespace, scheme)}";
}

public enum TicketKind
{
    Form,
    Join,
    Sealed,
}
