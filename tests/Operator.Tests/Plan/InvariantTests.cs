using CsCheck;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What must hold of any step, whatever was observed: members in every mixture of states, with and without an operation, a quorum, a wish to change.
/// A failure prints CsCheck's seed; CsCheck_Seed replays it and CsCheck_Iter makes more.</summary>
public sealed class InvariantTests
{
    sealed record Scene(int Members, int Wanted, int Leader, int[] States, int[] Ages, string? Operation, int About, bool Quorum, bool Heals, bool NewImage);

    static readonly string?[] UnderWay = [null, null, Operations.Add, Operations.Remove];

    static readonly Gen<Scene> Scenes =
        from members in Gen.Int[1, 7]
        from wanted in Gen.Int[0, 3].Select(half => 2 * half + 1)
        from leader in Gen.Int[1, 7]
        from states in Gen.Int[0, 15].Array[7]
        from ages in Gen.Int[0, 300].Array[7]
        from operation in Gen.Int[0, UnderWay.Length - 1].Select(index => UnderWay[index])
        from about in Gen.Int[1, 8]
        from flags in Gen.Bool.Array[4]
        select new Scene(members, wanted, leader, states, ages, operation, about, flags[0] || flags[1], flags[2], flags[3]);

    [Fact]
    public void One_change_at_a_time_is_made_and_the_quorum_survives_it() => Scenes.Sample(scene =>
    {
        var diagnosis = Diagnosis.Of(View(scene));
        var step = Planner.Decide(diagnosis).Step;
        // I8: nobody is added, removed or promoted on hearsay.
        if (step is Step.AddLearner or Step.Promote or Step.RemoveMember or Step.MoveLeader) Assert.NotNull(diagnosis.View.Membership);
        switch (step)
        {
            case Step.RemoveMember remove: Removal(diagnosis, remove); break;
            case Step.AddLearner: Addition(diagnosis); break;
            case Step.Promote promote: Promotion(diagnosis, promote); break;
            case Step.DeletePod delete: Restart(diagnosis, delete); break;
            case Step.DeleteClaim delete: Volume(diagnosis, delete); break;
            case Step.StartOperation start: Start(diagnosis, start); break;
            case Step.Apply { Object: V1StatefulSet set }: Template(diagnosis, set); break;
        }
    }, iter: 5_000);

    [Fact]
    public void The_same_observation_gives_the_same_plan_and_the_same_status() => Scenes.Sample(scene =>
    {
        var (first, second) = (Diagnosis.Of(View(scene)), Diagnosis.Of(View(scene)));
        var (one, other) = (Planner.Decide(first), Planner.Decide(second));
        Assert.Equal(one.Rule, other.Rule);
        Assert.Equal(one.Step?.GetType(), other.Step?.GetType());
        Assert.Equal(KubernetesJson.Serialize(StatusReport.Build(first, one, null)), KubernetesJson.Serialize(StatusReport.Build(second, other, null)));
    }, iter: 3_000);

    [Fact]
    public void A_status_that_was_just_written_is_not_written_again() => Scenes.Sample(scene =>
    {
        var view = View(scene);
        var diagnosis = Diagnosis.Of(view);
        var status = StatusReport.Build(diagnosis, Planner.Decide(diagnosis), null);
        var again = Diagnosis.Of(view with { Cluster = view.Cluster with { Status = status } });
        Assert.Equal(KubernetesJson.Serialize(status), KubernetesJson.Serialize(StatusReport.Build(again, Planner.Decide(again), null)));
    }, iter: 3_000);

    [Fact]
    public void A_member_of_another_cluster_stops_everything() => Scenes.Sample(scene =>
    {
        var view = View(scene);
        if (view.Reports.Count == 0) return;
        var (name, report) = view.Reports.First();
        var reports = view.Reports.ToDictionary(pair => pair.Key, pair => pair.Key == name ? report with { ClusterId = "beef" } : pair.Value);
        Assert.Null(Planner.Decide(Diagnosis.Of(view with { Reports = reports })).Step);
    }, iter: 3_000);

    /// <summary>I10, and that going back costs nothing before it has succeeded: whatever state the former epoch's members are in, nothing of the next one is made beside them, their volumes stay, and
    /// their members are asked for nothing.</summary>
    [Fact]
    public void A_new_epoch_begins_when_nothing_of_the_former_one_runs_and_with_all_its_volumes() => Scenes.Sample(scene =>
    {
        var view = View(scene);
        var restoration = new RestorationStatus { Name = "back", Uid = "uid-9", RetiredThrough = scene.Members, Retired = [.. view.Claims.Select(claim => claim.Metadata.Name["data-".Length..^2])] };
        var status = view.Status with { ClusterToken = "uid-9", Epoch = 2, Restoration = restoration, Restore = new RestoreSpec(), ClusterId = null, FormedAt = null, Operation = null };
        // Members of a former epoch are not asked.
        var step = Planner.Decide(Diagnosis.Of(view with { Cluster = view.Cluster with { Status = status }, Membership = null, Reports = new Dictionary<MemberName, MemberReport>() })).Step;
        if (view.StatefulSets.Count + view.Pods.Count > 0) Assert.True(step is null or Step.DeleteStatefulSet or Step.DeletePod { Force: true }, $"{step}");
        else Assert.True(Assert.IsType<Step.StartOperation>(step).Member.Number > scene.Members);
    }, iter: 3_000);

    /// <summary>I2, I4, I6: those who stay are a serving quorum of those who stay, and the leader is never the one who goes.</summary>
    static void Removal(Diagnosis diagnosis, Step.RemoveMember step)
    {
        var leaving = diagnosis.Find(step.Member.ToString())!;
        Assert.NotEqual(diagnosis.Leader?.Name, leaving.Name);
        Assert.Equal((Operations.Remove, step.Member.ToString()), (diagnosis.Operation?.Kind, diagnosis.Operation?.Member));
        if (leaving.Learner) return;
        var others = diagnosis.View.Membership!.Members.Count(member => !member.Learner && member.Id != step.Id);
        Assert.True(diagnosis.HealthyVoters.Count(member => member.Name != leaving.Name) >= Numbers.Quorum(others));
    }

    /// <summary>I1, I3: nobody else is on the way, and every voter serves.</summary>
    static void Addition(Diagnosis diagnosis)
    {
        Assert.True(diagnosis.AllVotersHealthy);
        Assert.DoesNotContain(diagnosis.View.Membership!.Members, member => member.Learner || !member.Started);
        Assert.Equal(Operations.Add, diagnosis.Operation?.Kind);
    }

    /// <summary>I5.</summary>
    static void Promotion(Diagnosis diagnosis, Step.Promote step) =>
        Assert.True(diagnosis.Find(step.Member.ToString())!.Report!.AppliedIndex + 1000 >= diagnosis.Leader!.Report!.RaftIndex);

    /// <summary>A pod is forgotten only when its member is out of the list, and a serving one is restarted only when the others are a quorum without it.</summary>
    static void Restart(Diagnosis diagnosis, Step.DeletePod step)
    {
        var member = diagnosis.Members.Single(member => member.Pod?.Metadata.Name == step.Pod);
        if (step.Force) Assert.Null(member.Listed);
        // A single voter cannot be spared, and an update has to restart it all the same.
        if (!member.Ready || !member.Voter || diagnosis.Voters.Count() == 1) return;
        Assert.True(diagnosis.HealthyVoters.Count(other => other.Name != member.Name) >= Numbers.Quorum(diagnosis.Voters.Count()));
        Assert.True(diagnosis.Leader?.Name != member.Name || diagnosis.HealthyVoters.Count() == 1);
    }

    /// <summary>At most one member that serves would come back from a template that it has not tried, and none at all while that fails elsewhere. Tickets are sealed whatever else is the case.</summary>
    static void Template(Diagnosis diagnosis, V1StatefulSet set)
    {
        var member = diagnosis.Find(set.Metadata.Name)!;
        if (member.Set is null || member.HasWantedTemplate || !member.Outdated || Ticket.Of(member.Set) != Ticket.Of(set)) return;
        var others = diagnosis.Members.Where(other => other.Name != member.Name).ToList();
        if (others.Any(other => other is { Pod: { } pod } && other.Running == member.Running && PodVerdict.Runs(pod)))
            Assert.DoesNotContain(others, other => other is { Outdated: false, HasWantedTemplate: true, Pod: { } pod } && PodVerdict.CannotStart(pod, other.Name));
        if (!member.Ready) return;
        Assert.All(diagnosis.Members, one => Assert.True(one.Ready));
        Assert.DoesNotContain(others, other => other is { Outdated: true, HasWantedTemplate: true });
        Assert.True(diagnosis.Leader?.Name != member.Name || diagnosis.Voters.Count() < 2);
    }

    /// <summary>I7: out of the list and its pod gone.</summary>
    static void Volume(Diagnosis diagnosis, Step.DeleteClaim step)
    {
        var member = diagnosis.Members.Single(member => member.Claim?.Metadata.Name == step.Claim);
        Assert.True(member is { Listed: null, Pod: null, Set: null });
    }

    /// <summary>Numbers are never given twice, and an operation is only ever replaced by one that it gives way to.</summary>
    static void Start(Diagnosis diagnosis, Step.StartOperation step)
    {
        if (diagnosis.Operation is { } running) Assert.Equal((Operations.Add, Operations.Remove), (running.Kind, step.Kind));
        if (step.Kind == Operations.Add && diagnosis.Find(step.Member.ToString()) is not { Learner: true }) Assert.True(step.Member.Number > diagnosis.View.Status.MemberHighWater);
    }

    static ClusterView View(Scene scene)
    {
        var world = new World().Formed(scene.Members).Spec(spec => spec with { Replicas = scene.Wanted, Healing = new HealingSpec { Enabled = scene.Heals } });
        var leader = Math.Min(scene.Leader, scene.Members);
        for (var number = 1; number <= scene.Members; number++)
        {
            var (state, age) = (scene.States[number - 1], scene.Ages[number - 1]);
            world.Member(number, member => Put(member, state, age, leader, scene.NewImage));
        }

        if (scene.Operation is { } operation) world.Operation(operation, scene.About);
        if (!scene.Quorum) world.NoQuorum();
        return world.View();
    }

    /// <summary>Half of all members serve, so that there is often something to lose.</summary>
    static void Put(MemberBuilder member, int state, int age, int leader, bool newImage)
    {
        member.Leader = leader;
        member.ReadyFor = TimeSpan.FromSeconds(age);
        if (newImage && age % 2 == 0) member.PodImage = "localhost/store:old";
        if (newImage && age % 4 == 0) member.SetImage = "localhost/store:old";
        switch (state)
        {
            case 8: member.LosesItsDisk(); break;
            case 9: member.LosesItsNode(age); break;
            case 10: member.WaitsWith("CrashLoopBackOff", "exit 1"); break;
            case 11: (member.IsLearner, member.Applied) = (true, (ulong)age * 30); break;
            case 12: member.OnlyAdded(); break;
            case 13: (member.HasPod, member.Answers) = (false, false); break;
            case 14: (member.IsListed, member.Answers, member.HasPod, member.HasSet) = (false, false, age % 2 == 0, age % 3 == 0); break;
            case 15: member.Starting(); member.DeletingFor = TimeSpan.FromSeconds(age); break;
        }
    }
}
