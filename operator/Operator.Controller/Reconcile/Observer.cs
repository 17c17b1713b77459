using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Gathers one <see cref="ClusterView"/>: the caches, and what the members answer now.</summary>
sealed class Observer(KubeApi api, Caches caches, MemberClient members, AgentClient agents, AuthObserver authentication, HandshakeProbe handshakes, string defaultImage, TimeProvider time)
{
    readonly CertificateSecrets secrets = new(api);

    public async Task<ClusterView> ObserveAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        var key = ObjectStore<StoreCluster>.KeyOf(cluster);
        var (sets, pods) = (caches.StatefulSets.OwnedBy(key), caches.Pods.OwnedBy(key));
        var approved = caches.Restores.All.Where(restore => restore.Status is { Phase: StoreRestoreStatus.Restoring or StoreRestoreStatus.Joining } && restore.Spec.Cluster == key.Name
            && restore.Metadata.NamespaceProperty == key.Namespace).OrderByDescending(restore => restore.Status!.EpochAfter).ThenBy(restore => restore.Metadata.Name, StringComparer.Ordinal).FirstOrDefault();
        var now = Seconds(time.GetUtcNow().UtcDateTime);
        var complaints = Complaint.MayExist(sets, pods, now) ? await ReadComplaintsAsync(key.Namespace, cancellation) : [];
        var view = await secrets.AddToAsync(new ClusterView
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
            RestoreBackup = cluster.Spec.Bootstrap?.Restore?.Backup is { } backup ? caches.Backups.Get(new ObjectKey(key.Namespace, backup)) : null,
            Approved = approved,
        }, cancellation);
        var passwords = await authentication.ReadSecretsAsync(cluster, cancellation);
        var answers = await AskAllAsync(cluster, passwords, [.. Reachable(view)], cancellation);
        var voters = Able(answers);
        return view with
        {
            Reports = answers.Where(answer => answer.Report is not null).ToDictionary(answer => answer.Name, answer => answer.Report!),
            Refusals = answers.Where(answer => answer.Refusal is not null).ToDictionary(answer => answer.Name, answer => answer.Refusal!),
            Membership = await ReadMembershipAsync(cluster, voters, cancellation),
            Auth = passwords is null ? null : await authentication.ViewAsync(cluster, passwords, [.. voters, .. answers.Where(answer => answer.Refusal is not null).Select(answer => answer.Address)], cancellation),
            Handshakes = await handshakes.ShakeAsync(view, cancellation),
            Agents = await agents.AllAsync(key, [.. pods.Where(pod => !view.IsRetired(MemberName.OfPod(key.Name, pod.Metadata.Name)))], cancellation),
        };
    }

    public void Forget(ObjectKey key) => secrets.Forget(key);

    /// <summary>Events are read when they are of use and not watched: a busy cluster has more of them than of everything else together. Without them status is
    /// less precise, so a refusal is no failure of the pass.</summary>
    async Task<IReadOnlyList<Complaint>> ReadComplaintsAsync(string @namespace, CancellationToken cancellation)
    {
        var answer = await api.ListAsync<Corev1Event>(@namespace, labels: null, fields: "type=Warning", next: null, limit: 500, cancellation);
        return answer.Value is not { } page
            ? []
            : [.. page.Items.Where(item => item.InvolvedObject?.Uid is not null)
                .Select(item => new Complaint(item.InvolvedObject.Kind ?? "", item.InvolvedObject.Name ?? "", item.InvolvedObject.Uid, item.Reason ?? "", item.Message ?? ""))];
    }

    /// <summary>Members of a former epoch are not asked: what they say is of another cluster.</summary>
    IEnumerable<(MemberName Name, MemberEndpoint Address)> Reachable(ClusterView view)
    {
        foreach (var pod in view.Pods.Where(pod => pod.Status?.Phase == "Running"))
        {
            if (MemberName.OfPod(view.Name, pod.Metadata.Name) is { } name && !view.IsRetired(name) && members.EndpointOf(view, name) is { } address) yield return (name, address);
        }
    }

    sealed record MemberAnswer(MemberName Name, MemberEndpoint Address, MemberReport? Report, string? Refusal);

    /// <summary>With the token of an earlier login; those who do not know it (any more) are asked again with that of a new one. A member knows no token from before its
    /// restart, and a learner none from before it was there.</summary>
    async Task<IReadOnlyList<MemberAnswer>> AskAllAsync(StoreCluster cluster, AuthSecrets? secrets, IReadOnlyList<(MemberName Name, MemberEndpoint Address)> reachable, CancellationToken cancellation)
    {
        var token = authentication.TokenOf(cluster);
        var answers = await Task.WhenAll(reachable.Select(member => AskAsync(member.Name, member.Address, token, cancellation)));
        if (secrets is null || answers.All(answer => answer.Refusal is null)) return answers;
        // Those that answered first: among those that refuse may be a learner, which takes no logins.
        var addresses = Able(answers).Concat(answers.Where(answer => answer.Refusal is not null).Select(answer => answer.Address)).ToList();
        if (await authentication.LogInAsync(cluster, secrets, addresses, cancellation) is not { } fresh) return answers;
        return await Task.WhenAll(answers.Select(answer => answer.Refusal is null ? Task.FromResult(answer) : AskAsync(answer.Name, answer.Address, fresh, cancellation)));
    }

    async Task<MemberAnswer> AskAsync(MemberName name, MemberEndpoint address, string? token, CancellationToken cancellation)
    {
        var (report, refusal) = await members.ReportAsync(address, token, cancellation);
        return new MemberAnswer(name, address, report, refusal);
    }

    /// <summary>Addresses of those who know a leader: voters first, and of them the leader.</summary>
    static List<MemberEndpoint> Able(IReadOnlyList<MemberAnswer> answers) => [.. answers.Where(answer => answer.Report is { Leader: not 0 })
        .OrderBy(answer => answer.Report!.Learner).ThenByDescending(answer => answer.Report!.MemberId == answer.Report.Leader).Select(answer => answer.Address)];

    /// <summary>One linearizable answer is enough, as there can only be one truth.</summary>
    async Task<Membership?> ReadMembershipAsync(StoreCluster cluster, IReadOnlyList<MemberEndpoint> addresses, CancellationToken cancellation)
    {
        var token = authentication.TokenOf(cluster);
        foreach (var address in addresses)
        {
            if (await members.ListAsync(address, token, cluster.Metadata.Name, cancellation) is { } membership) return membership;
        }

        return null;
    }

    static DateTime Seconds(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);
}
