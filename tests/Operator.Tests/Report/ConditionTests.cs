using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What the summary conditions say of the same few situations.</summary>
public sealed class ConditionTests
{
    public static TheoryData<string, string, string, string, string> Situations => new()
    {
        // situation,          Degraded, QuorumHealthy, AllMembersReady, IdentityConsistent
        { "all serve", "False AllVotersServe", "True QuorumServes", "True AllServe", "True OneCluster" },
        { "one is starting", "True Starting", "True QuorumServes", "False Starting", "True OneCluster" },
        { "two are starting", "True NoQuorum", "False QuorumLost", "False Starting", "True OneCluster" },
        { "nobody answers", "True NoQuorum", "Unknown NoAnswer", "False Unreachable", "Unknown NoAnswer" },
        { "not formed", "False NotFormed", "False NotFormed", "False NoMembers", "Unknown NoAnswer" },
        { "a stranger", "False AllVotersServe", "True QuorumServes", "True AllServe", "False ClusterIdConflict" },
        { "being removed", "False AllVotersServe", "True QuorumServes", "False Leaving", "True OneCluster" },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public void A_situation_is_told_in_every_condition(string situation, string degraded, string quorum, string all, string identity)
    {
        var status = Report(World(situation));
        Assert.Equal(
            [degraded, quorum, all, identity],
            new[] { "Degraded", "QuorumHealthy", "AllMembersReady", "IdentityConsistent" }.Select(type => Short(status, type)));
    }

    [Fact]
    public void How_many_may_still_fail_is_said()
    {
        Assert.EndsWith("1 of them may fail", Of(Report(World("all serve")), "QuorumHealthy").Message, StringComparison.Ordinal);
        Assert.EndsWith("0 of them may fail", Of(Report(World("one is starting")), "QuorumHealthy").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node-1 node-2 node-3", "", "True Spread")]
    [InlineData("node-1 node-2 node-1", "", "False SharedNode")]
    [InlineData("node-1 node-2 node-3", "a a a", "False SharedZone")]
    [InlineData("node-1 node-2 node-3", "a b a", "True Spread")]
    [InlineData("", "", "True Spread")]
    public void Members_on_one_node_or_all_in_one_zone_are_told(string nodes, string zones, string wanted)
    {
        var view = new World().Formed(3).View();
        for (var at = 0; at < 3; at++)
        {
            view.Pods[at].Spec.NodeName = nodes.Split(' ').ElementAtOrDefault(at);
            if (zones.Length > 0) view.Pods[at].Metadata.Labels = new Dictionary<string, string> { ["topology.kubernetes.io/zone"] = zones.Split(' ')[at] };
        }

        var diagnosis = Diagnosis.Of(view);
        var status = StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
        Assert.Equal(wanted, Short(status, "TopologySatisfied"));
        Assert.Equal(zones.Length > 0 ? "a" : null, status.Members![0].Zone);
    }

    [Fact]
    public void Each_member_is_told_with_its_claim_its_restarts_and_what_is_wrong()
    {
        var status = Report(new World().Formed(3).Member(2, member => member.WaitsWith("ImagePullBackOff", "no such image")));
        var member = status.Members!.Single(member => member.Name == "orders-2");
        Assert.Equal(("data-orders-2-0", 3, "Voter", "Failed"), (member.Claim, member.Restarts, member.Role, member.State));
        Assert.Contains("no such image", member.Message, StringComparison.Ordinal);
        Assert.Equal((3, 0, 2L), (status.Voters, status.Learners, status.Term));
    }

    static World World(string situation) => situation switch
    {
        "all serve" => new World().Formed(3),
        "one is starting" => new World().Formed(3).Member(2, member => member.Starting()),
        "two are starting" => new World().Formed(3).NoQuorum().Member(2, member => member.Starting()).Member(3, member => member.Starting()),
        "nobody answers" => Silent(new World().Formed(3).NoQuorum()),
        "not formed" => new World().Named(),
        "a stranger" => new World().Formed(3).Member(2, member => member.ClusterId = "beef"),
        "being removed" => new World().Formed(3).Spec(spec => spec with { Replicas = 1 }).Operation(Operations.Remove, 3),
        _ => throw new ArgumentOutOfRangeException(nameof(situation)),
    };

    static World Silent(World world)
    {
        for (var number = 1; number <= 3; number++) world.Member(number, member => member.Answers = false);
        return world;
    }

    static StoreClusterStatus Report(World world)
    {
        var diagnosis = Diagnosis.Of(world.View());
        return StatusReport.Build(diagnosis, Planner.Decide(diagnosis), error: null);
    }

    static string Short(StoreClusterStatus status, string type) => $"{Of(status, type).Status} {Of(status, type).Reason}";

    static V1Condition Of(StoreClusterStatus status, string type) => status.Conditions!.Single(condition => condition.Type == type);
}
