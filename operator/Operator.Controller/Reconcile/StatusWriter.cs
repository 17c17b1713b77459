using k8s;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Writes a status when it says something new, compared-and-swapped on the version that it was judged from.</summary>
sealed class StatusWriter(KubeApi api, ObjectStore<StoreCluster> clusters, Fence fence, EventRecorder events, ILogger log)
{
    /// <returns>Null, or how the pass ends when it could not be written.</returns>
    public async Task<Result?> WriteAsync(StoreCluster cluster, StoreClusterStatus status, CancellationToken cancellation)
    {
        if (KubernetesJson.Serialize(status) == KubernetesJson.Serialize(cluster.Status ?? new StoreClusterStatus())) return null;
        if (await EntityStatus.WriteAsync(api, clusters, fence, cluster with { Status = status }, cancellation) is { } unwritten) return unwritten;
        Tell(cluster, status);
        return null;
    }

    /// <summary>A change of Ready is what people want to see in <c>kubectl describe</c>, and so is what becomes of authentication.</summary>
    void Tell(StoreCluster cluster, StoreClusterStatus status)
    {
        if (Changed(cluster, status, ConditionTypes.Ready) is { } ready)
        {
            Log.ReadyChanged(log, ObjectStore<StoreCluster>.KeyOf(cluster), ready.Status, ready.Reason, ready.Message);
            Tell(cluster, ready, ready.Reason);
        }

        if (Changed(cluster, status, ConditionTypes.IdentityConsistent) is { Status: "False" }) Telemetry.InvariantViolated(Telemetry.OneIdentity);
        if (Changed(cluster, status, ConditionTypes.CertificatesReady) is { Status: not "True", Reason: not "Issuing" } certificates) events.Warning(cluster, certificates.Reason, certificates.Message);

        if (Changed(cluster, status, ConditionTypes.BackupReady) is { Status: not "Unknown" } backups) Tell(cluster, backups, backups.Status == "True" ? "BackupReady" : $"Backup{backups.Reason}");

        // That nobody wants it is news only after somebody did.
        if (Changed(cluster, status, ConditionTypes.AuthReady) is { Status: not "Unknown" } auth && !(auth.Reason == "NotWanted" && Before(cluster, ConditionTypes.AuthReady) is null))
            Tell(cluster, auth, auth.Reason switch { "Enabled" => "AuthEnabled", "NotWanted" => "AuthDisabled", _ => auth.Reason });
    }

    void Tell(StoreCluster cluster, V1Condition condition, string reason)
    {
        if (condition.Status == "True" || Ordinary.Contains(condition.Reason)) events.Normal(cluster, reason, condition.Message);
        else events.Warning(cluster, reason, condition.Message);
    }

    /// <summary>Null when it says what it said before.</summary>
    static V1Condition? Changed(StoreCluster cluster, StoreClusterStatus status, string type)
    {
        var before = Before(cluster, type);
        var now = status.Conditions?.FirstOrDefault(condition => condition.Type == type);
        return now is null || (before?.Status == now.Status && before.Reason == now.Reason) ? null : now;
    }

    static V1Condition? Before(StoreCluster cluster, string type) => cluster.Status?.Conditions?.FirstOrDefault(condition => condition.Type == type);

    static readonly HashSet<string> Ordinary = ["Forming", "Restoring", "Scaling", "Updating", "Deleting", "Enabling", "Disabling", "PasswordChanging", "FirstBackup", "BackupRunning", Operations.Form, Operations.Add, Operations.Remove];
}
