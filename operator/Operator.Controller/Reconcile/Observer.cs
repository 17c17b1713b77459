using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Gathers one <see cref="ClusterView"/>: the caches, and what the members answer now.</summary>
internal sealed class Observer(Caches caches, MemberClient members, string defaultImage, TimeProvider time)
{
    public async Task<ClusterView> ObserveAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        var key = ObjectStore<StoreCluster>.KeyOf(cluster);
        var pods = caches.Pods.OwnedBy(key);
        var answers = await Task.WhenAll(Reachable(cluster, pods).Select(async member => (member.Name, Report: await members.ReportAsync(member.Address, cancellation), member.Address)));
        var reports = answers.Where(answer => answer.Report is not null).ToDictionary(answer => answer.Name, answer => answer.Report!);
        return new ClusterView
        {
            Cluster = cluster,
            ObservedAt = Seconds(time.GetUtcNow().UtcDateTime),
            DefaultImage = defaultImage,
            StatefulSets = caches.StatefulSets.OwnedBy(key),
            Pods = pods,
            Claims = caches.Claims.OwnedBy(key),
            Services = caches.Services.OwnedBy(key),
            Budgets = caches.Budgets.OwnedBy(key),
            Reports = reports,
            Membership = await ReadMembershipAsync(cluster, [.. answers.Where(answer => answer.Report is not null).Select(answer => (answer.Address, answer.Report!))], cancellation),
        };
    }

    /// <summary>The pod's own address and not its name: names take a while to appear and to go, and the operator may run outside the cluster's DNS.</summary>
    private static IEnumerable<(MemberName Name, string Address)> Reachable(StoreCluster cluster, IReadOnlyList<V1Pod> pods)
    {
        foreach (var pod in pods)
        {
            if (pod.Status?.PodIP is not { Length: > 0 } ip || pod.Status.Phase != "Running" || !pod.Metadata.Name.EndsWith("-0", StringComparison.Ordinal)) continue;
            if (MemberName.Parse(cluster.Metadata.Name, pod.Metadata.Name[..^2]) is { } name)
                yield return (name, MemberClient.Address(ip));
        }
    }

    /// <summary>Asks whoever knows a leader, voters first: one linearizable answer is enough, as there can only be one truth.</summary>
    private async Task<Membership?> ReadMembershipAsync(StoreCluster cluster, IReadOnlyList<(string Address, MemberReport Report)> answers, CancellationToken cancellation)
    {
        foreach (var (address, _) in answers.Where(answer => answer.Report.Leader != 0).OrderBy(answer => answer.Report.Learner).ThenByDescending(answer => answer.Report.MemberId == answer.Report.Leader))
        {
            if (await members.ListAsync(address, cluster.Metadata.Name, cancellation) is { } membership) return membership;
        }

        return null;
    }

    private static DateTime Seconds(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);
}
