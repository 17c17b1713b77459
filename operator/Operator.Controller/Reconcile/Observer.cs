using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Gathers one <see cref="ClusterView"/>: the caches, and what the members answer now.</summary>
internal sealed class Observer(KubeApi api, Caches caches, MemberClient members, string defaultImage, TimeProvider time)
{
    public async Task<ClusterView> ObserveAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        var key = ObjectStore<StoreCluster>.KeyOf(cluster);
        var (sets, pods) = (caches.StatefulSets.OwnedBy(key), caches.Pods.OwnedBy(key));
        var now = Seconds(time.GetUtcNow().UtcDateTime);
        var complaints = Complaint.MayExist(sets, pods, now) ? await ReadComplaintsAsync(key.Namespace, cancellation) : [];
        var answers = await Task.WhenAll(Reachable(cluster, pods).Select(async member => (member.Name, Report: await members.ReportAsync(member.Address, cancellation), member.Address)));
        var reports = answers.Where(answer => answer.Report is not null).ToDictionary(answer => answer.Name, answer => answer.Report!);
        return new ClusterView
        {
            Cluster = cluster,
            ObservedAt = now,
            DefaultImage = defaultImage,
            StatefulSets = sets,
            Pods = pods,
            Claims = caches.Claims.OwnedBy(key),
            Services = caches.Services.OwnedBy(key),
            Budgets = caches.Budgets.OwnedBy(key),
            Complaints = complaints,
            Reports = reports,
            Membership = await ReadMembershipAsync(cluster, [.. answers.Where(answer => answer.Report is not null).Select(answer => (answer.Address, answer.Report!))], cancellation),
        };
    }

    /// <summary>Events are read when they are of use and not watched: a busy cluster has more of them than of everything else together. Without them status is
    /// less precise, so a refusal is no failure of the pass.</summary>
    private async Task<IReadOnlyList<Complaint>> ReadComplaintsAsync(string @namespace, CancellationToken cancellation)
    {
        var answer = await api.ListAsync<Corev1Event>(@namespace, labels: null, fields: "type=Warning", next: null, cancellation);
        return answer.Value is not { } page
            ? []
            : [.. page.Items.Where(item => item.InvolvedObject?.Uid is not null)
                .Select(item => new Complaint(item.InvolvedObject.Kind ?? "", item.InvolvedObject.Name ?? "", item.InvolvedObject.Uid, item.Reason ?? "", item.Message ?? ""))];
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
