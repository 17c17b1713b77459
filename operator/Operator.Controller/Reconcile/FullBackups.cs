using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Asks an agent for the full backup that a status waits for: with the operator's login where members ask who calls, and with its certificate where they speak TLS.</summary>
sealed class FullBackups(KubeApi api, MemberClient members, AgentClient agents, AuthObserver authentication, Fence fence, TimeProvider time)
{
    /// <returns>Null, or what the agent has against it, or the API server.</returns>
    public async Task<string?> AskAsync(StoreCluster cluster, MemberName member, StoreBackupStatus status, IReadOnlyList<V1Pod> pods, CancellationToken cancellation)
    {
        fence.Require();
        // Certificates are read for each request: there are few.
        var view = await new CertificateSecrets(api).AddToAsync(new ClusterView { Cluster = cluster, ObservedAt = time.GetUtcNow().UtcDateTime, DefaultImage = "", Pods = pods }, cancellation);
        if (view.SecretsRefused is { } unread) return $"the Secrets of the cluster's certificates cannot be read: {unread}";
        if (members.EndpointOf(view, member) is not { } address) return null;
        var secrets = await authentication.ReadSecretsAsync(cluster, cancellation);
        if (secrets?.LoginSecretUnread is { } refused) return $"the Secret of the operator's login cannot be read: {refused}";
        return await agents.AskForFullAsync(address, member, status.After ?? "", secrets?.LoginPassword, cancellation);
    }
}
