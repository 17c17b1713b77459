using k8s.Models;

namespace Operator.Core;

/// <summary>One member from every side: its objects, its place in the member list, its own words, and the sum of it.</summary>
public sealed record MemberVerdict(MemberName Name, Health Health)
{
    public V1StatefulSet? Set { get; init; }
    public V1Pod? Pod { get; init; }
    public V1PersistentVolumeClaim? Claim { get; init; }
    public ListedMember? Listed { get; init; }
    public MemberReport? Report { get; init; }

    /// <summary>What it says when it answers but does not let the operator in.</summary>
    public string? Refusal { get; init; }

    /// <summary>Set when it will not come back by itself.</summary>
    public Loss? Loss { get; init; }

    public bool Ready => Health.State == MemberState.Ready;
    public bool Voter => Listed is { Learner: false, Started: true };
    public bool Learner => Listed is { Learner: true };

    /// <summary>Names the template that is wanted, as <see cref="Annotations.Render"/> does. Null while the spec is invalid: then nothing else is wanted than what is there.</summary>
    public string? Wanted { get; init; }

    /// <summary>Names the template that its StatefulSet has, which is older than the wanted one until its turn has come (<see cref="Turn"/>).</summary>
    public string? Held => Render(Set?.Spec.Template.Metadata);

    /// <summary>Names the template that its pod was made from.</summary>
    public string? Running => Render(Pod?.Metadata);

    /// <summary>A pod that is made now is made from what is wanted.</summary>
    public bool HasWantedTemplate => Set is not null && (Wanted is null || Held == Wanted);

    /// <summary>A pod that was made from another template than the wanted one. What the ticket says does not count: see <see cref="Ticket"/>.</summary>
    public bool Outdated => Set is not null && Running is { } running && (Wanted ?? Held) is { } wanted && running != wanted;

    static string? Render(V1ObjectMeta? metadata) =>
        metadata?.Annotations is { } annotations && annotations.TryGetValue(Annotations.Render, out var render) ? render : null;
}

/// <summary>The view, judged: what the rules and the report read.</summary>
public sealed record Diagnosis(ClusterView View, IReadOnlyList<MemberVerdict> Members, string? InvalidSpec)
{
    public OperationStatus? Operation => View.Status.Operation;

    public IEnumerable<MemberVerdict> Voters => Members.Where(member => member.Voter);

    public IEnumerable<MemberVerdict> HealthyVoters => Members.Where(member => member.Voter && member.Ready);

    public bool AllVotersHealthy => Voters.All(member => member.Ready);

    /// <summary>The member that the report with the highest term follows.</summary>
    public MemberVerdict? Leader
    {
        get
        {
            var newest = View.Reports.OrderBy(pair => pair.Key.Number).Select(pair => pair.Value).Where(report => report.Leader != 0).MaxBy(report => report.Term);
            return newest is null
                ? null
                : Members.FirstOrDefault(member => member.Report?.MemberId == newest.Leader || member.Listed?.Id == newest.Leader);
        }
    }

    public MemberVerdict? Find(string? name) => Members.FirstOrDefault(member => member.Name.ToString() == name);

    public static Diagnosis Of(ClusterView view)
    {
        var invalid = SpecValidation.Check(view.Cluster);
        var wanted = invalid is null ? Rollback.Render(view) : null;
        return new Diagnosis(view, [.. Names(view).Select(name => Judge(view, name) with { Wanted = wanted })], invalid);
    }

    /// <summary>Whoever has a StatefulSet or a place in the member list is a member, and so is the one that an operation is about; nobody of a former epoch is.</summary>
    static IEnumerable<MemberName> Names(ClusterView view)
    {
        var sets = view.StatefulSets.Where(view.Owns).Select(set => MemberName.Parse(view.Name, set.Metadata.Name));
        var listed = view.Membership?.Members.Select(member => member.Name) ?? [];
        var known = view.Membership is null ? view.Status.Members?.Select(member => MemberName.Parse(view.Name, member.Name)) ?? [] : [];
        return sets.Concat(listed).Concat(known).Append(MemberName.Parse(view.Name, view.Status.Operation?.Member))
            .OfType<MemberName>().Where(name => !view.IsRetired(name)).Distinct().Order();
    }

    static MemberVerdict Judge(ClusterView view, MemberName name)
    {
        var set = view.StatefulSets.FirstOrDefault(set => set.Metadata.Name == name.ToString() && view.Owns(set));
        var pod = view.Pods.FirstOrDefault(pod => pod.Metadata.Name == name.Pod);
        var report = view.Reports.GetValueOrDefault(name);
        var listed = view.Membership?.Find(name);
        var claim = view.Claims.FirstOrDefault(claim => claim.Metadata.Name == name.Claim);
        var health = PodVerdict.KeepCause(Sum(view, name, set, pod, listed, report), pod, name, view.Status.Members?.FirstOrDefault(member => member.Name == name.ToString()), view.ObservedAt);
        if (set is not null) health = Complaint.Explain(health, name, set, pod, claim, view.Complaints);
        var refusal = view.Refusals.GetValueOrDefault(name);
        var loss = Loss.Of(pod, claim, answers: report is not null || refusal is not null, health);
        return new MemberVerdict(name, Worse(view, health, loss))
        {
            Set = set,
            Pod = pod,
            Claim = claim,
            Loss = loss,
            Listed = listed,
            Report = report,
            Refusal = refusal,
        };
    }

    /// <summary>A loss counts as one when healing would act on it; until then it may be a restart.</summary>
    static Health Worse(ClusterView view, Health health, Loss? loss) =>
        loss is not null && health.State is not (MemberState.Leaving or MemberState.Missing) && view.ObservedAt >= HealingRules.Due(view.Spec.Healing, loss)
            ? new Health(MemberState.Failed, loss.Reason, loss.Message)
            : health;

    static Health Sum(ClusterView view, MemberName name, V1StatefulSet? set, V1Pod? pod, ListedMember? listed, MemberReport? report)
    {
        if (view.Status.Operation is { Kind: Operations.Remove } leaving && leaving.Member == name.ToString())
            return new Health(MemberState.Leaving, "Leaving", $"member {name} is being removed");
        if (set is null) return new Health(MemberState.Missing, "StatefulSetMissing", $"StatefulSet {name} does not exist");
        var health = PodVerdict.Of(pod, name);
        if (health.Reason == PodVerdict.Unschedulable && view.Claims.FirstOrDefault(claim => claim.Metadata.Name == name.Claim) is { Status.Phase: "Pending" } unbound)
        {
            var storageClass = unbound.Spec?.StorageClassName is { } named ? $"StorageClass {named}" : "the default StorageClass";
            return new Health(MemberState.Starting, PodVerdict.VolumePending, $"volume claim {unbound.Metadata.Name} has no volume yet; {storageClass} has to exist and provide one ({health.Message})");
        }

        if (health.State != MemberState.Ready) return health;
        // The kubelet's word is up to half a minute old when a node dies. The member's own is not.
        if (view.Refusals.TryGetValue(name, out var refusal)) return new Health(MemberState.NotReady, "Refused", $"member {name} does not let the operator in: {refusal}{(view.Auth is null ? "; set spec.auth to what was turned on there" : "")}");
        if (report is null) return new Health(MemberState.NotReady, "Unreachable", $"member {name} does not answer the operator");
        if (report.Leader == 0) return new Health(MemberState.NotReady, "NoLeader", $"member {name} knows of no leader");
        if (view.Membership is not null && listed is null) return new Health(MemberState.NotReady, "NotAMember", $"{name} is not in the store's member list");
        return health;
    }
}
