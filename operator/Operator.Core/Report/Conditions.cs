using k8s.Models;

namespace Operator.Core;

public static class ConditionTypes
{
    public const string Ready = "Ready";
    public const string Available = "Available";
    public const string Progressing = "Progressing";
    public const string Reconciled = "Reconciled";
    public const string MembersUpdated = "MembersUpdated";
    public const string Degraded = "Degraded";
    public const string QuorumHealthy = "QuorumHealthy";
    public const string AllMembersReady = "AllMembersReady";
    public const string IdentityConsistent = "IdentityConsistent";
    public const string TopologySatisfied = "TopologySatisfied";
    public const string StorageHealthy = "StorageHealthy";
    public const string AuthReady = "AuthReady";
    public const string CertificatesReady = "CertificatesReady";
    public const string BackupReady = "BackupReady";
    public const string Restored = "Restored";
    public const string Paused = "Paused";
}

/// <param name="Status">True, False or Unknown.</param>
public readonly record struct Verdict(string Status, string Reason, string Message);

static class Conditions
{
    /// <summary>lastTransitionTime moves only when the status does: otherwise each pass would write, and each write would cause a pass.</summary>
    public static V1Condition Set(IReadOnlyList<V1Condition>? before, string type, Verdict verdict, long? generation, DateTime now)
    {
        var old = before?.FirstOrDefault(condition => condition.Type == type);
        return new V1Condition
        {
            Type = type,
            Status = verdict.Status,
            Reason = verdict.Reason,
            Message = verdict.Message,
            ObservedGeneration = generation,
            LastTransitionTime = old?.Status == verdict.Status ? old.LastTransitionTime : now,
        };
    }
}
