using k8s.Models;
using Operator.Core;

namespace Operator.Tests;

/// <summary>One member of a <see cref="World"/>; as made it serves, votes and is sealed.</summary>
sealed class MemberBuilder(int number)
{
    public int Number { get; } = number;
    public bool HasSet { get; set; } = true;
    public bool HasPod { get; set; } = true;
    public bool HasClaim { get; set; } = true;
    public bool IsListed { get; set; } = true;
    public bool IsLearner { get; set; }
    public bool IsStarted { get; set; } = true;
    public bool Answers { get; set; } = true;
    public bool PodReady { get; set; } = true;
    public bool PodDeleting { get; set; }
    public TicketKind Ticket { get; set; } = TicketKind.Sealed;
    public string? PodImage { get; set; }
    public string? SetImage { get; set; }
    public string SetOwner { get; set; } = "uid-1";
    public string ClusterId { get; set; } = "cafe";
    public int Leader { get; set; } = 1;
    public ulong Applied { get; set; } = 5000;
    public string Version { get; set; } = "3.6.0";
    public V1ContainerState? Container { get; set; }
    public bool? Started { get; set; }
    public bool? ContainerReady { get; set; }
    public TimeSpan? UnreadyFor { get; set; }
    public TimeSpan? ReadyFor { get; set; }
    public TimeSpan? DeletingFor { get; set; }
    public long? GraceSeconds { get; set; }
    public TimeSpan? PodAge { get; set; }
    public string? LastWords { get; set; }
    public string? ClaimPhase { get; set; }
    public string? ClaimSize { get; set; }
    public string? ClaimCapacity { get; set; }
    public V1PodCondition? Scheduled { get; set; }

    /// <summary>The member has a StatefulSet and a pod that is on its way.</summary>
    public void Starting()
    {
        PodReady = false;
        Answers = false;
    }

    /// <summary>Only a place in the member list, as right after MemberAdd.</summary>
    public void OnlyAdded()
    {
        (HasSet, HasPod, HasClaim, IsLearner, IsStarted, Answers) = (false, false, false, true, false, false);
    }

    /// <summary>Sealed, and its disk is empty: the store says so and ends.</summary>
    public void LosesItsDisk()
    {
        WaitsWith("CrashLoopBackOff", "back-off");
        LastWords = "store: its disk is empty though it has been a member before";
        UnreadyFor = TimeSpan.FromSeconds(3);
    }

    /// <summary>The kubelet is silent: the last it said was that the container was ready; that the pod is not any more says the node controller.</summary>
    public void LosesItsNode(int seconds)
    {
        Starting();
        (Started, ContainerReady, UnreadyFor) = (true, true, TimeSpan.FromSeconds(seconds));
    }

    public void WaitsWith(string reason, string message)
    {
        Starting();
        Container = new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } };
    }

    public ListedMember Listed(string cluster)
    {
        var name = new MemberName(cluster, Number);
        return new ListedMember(name, (ulong)Number, [name.PeerUrl(World.Namespace)], IsLearner, IsStarted);
    }

    public MemberReport Report() => new((ulong)Number, ClusterId, (ulong)Leader, IsLearner, Version, Applied, Applied, Term: 2);

    public V1StatefulSet Set(StoreCluster cluster, Membership? membership, string token, string defaultImage)
    {
        var set = MemberStatefulSet.Build(cluster, Name(cluster), Held(cluster, membership), token, SetImage ?? StoreImage.Of(cluster.Spec, defaultImage));
        set.Metadata.Uid = $"set-{Number}";
        set.Metadata.OwnerReferences[0].Uid = SetOwner;
        return set;
    }

    public V1Pod Pod(StoreCluster cluster, Membership? membership, string token, string defaultImage)
    {
        var image = PodImage ?? SetImage ?? StoreImage.Of(cluster.Spec, defaultImage);
        var template = MemberStatefulSet.Build(cluster, Name(cluster), Held(cluster, membership), token, image).Spec.Template;
        return new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = Name(cluster).Pod,
                Uid = $"pod-{Number}",
                Annotations = template.Metadata.Annotations,
                DeletionTimestamp = PodDeleting || DeletingFor is not null ? World.Now - (DeletingFor ?? TimeSpan.Zero) : null,
                DeletionGracePeriodSeconds = GraceSeconds,
                CreationTimestamp = World.Now - PodAge,
            },
            Spec = template.Spec,
            Status = new V1PodStatus
            {
                Conditions =
                [
                    Scheduled ?? new V1PodCondition { Type = "PodScheduled", Status = "True" },
                    new V1PodCondition { Type = "Ready", Status = PodReady ? "True" : "False", LastTransitionTime = World.Now - (UnreadyFor ?? ReadyFor) },
                ],
                ContainerStatuses = [new V1ContainerStatus { Name = "store", State = Container, LastState = LastWords is null ? null : new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = 1, Message = LastWords } }, Started = Started ?? PodReady, Ready = ContainerReady ?? PodReady, RestartCount = 3 }],
            },
        };
    }

    public V1PersistentVolumeClaim Claim(StoreCluster cluster) => new()
    {
        Metadata = new V1ObjectMeta { Name = Name(cluster).Claim, Uid = $"claim-{Number}" },
        Spec = ClaimSize is null ? null : new V1PersistentVolumeClaimSpec { Resources = new V1VolumeResourceRequirements { Requests = Storage(ClaimSize) } },
        Status = new V1PersistentVolumeClaimStatus { Phase = ClaimPhase, Capacity = ClaimCapacity is null ? null : Storage(ClaimCapacity) },
    };

    static Dictionary<string, ResourceQuantity> Storage(string size) => new() { ["storage"] = new ResourceQuantity(size) };

    MemberName Name(StoreCluster cluster) => new(cluster.Metadata.Name, Number);

    Ticket Held(StoreCluster cluster, Membership? membership) => Ticket switch
    {
        TicketKind.Form => Core.Ticket.Form(Name(cluster), World.Namespace, Scheme(cluster)),
        TicketKind.Join when membership is not null => Core.Ticket.Join(membership, World.Namespace, Scheme(cluster)),
        TicketKind.Join => new Ticket(TicketKind.Join, "unread"),
        _ => Core.Ticket.Sealed(Name(cluster), World.Namespace, Scheme(cluster)),
    };

    static string Scheme(StoreCluster cluster) => cluster.Spec.Scheme(TlsSide.Peer);
}
