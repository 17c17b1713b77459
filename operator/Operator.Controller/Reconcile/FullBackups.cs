using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Asks an agent for the full backup that a status waits for, with the operator's login where members ask who calls.</summary>
sealed class FullBackups(AgentClient agents, AuthObserver authentication, Fence fence)
{
    /// <returns>Null, or what the agent has against it.</returns>
    public async Task<string?> AskAsync(StoreCluster cluster, MemberName member, StoreBackupStatus status, IReadOnlyList<V1Pod> pods, CancellationToken cancellation)
    {
        fence.Require();
        var secrets = await authentication.ReadSecretsAsync(cluster, cancellation);
        return await agents.AskForFullAsync(pods, member, status.After ?? "", secrets?.LoginPassword, cancellation);
    }
}
