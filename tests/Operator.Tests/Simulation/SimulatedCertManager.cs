using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>cert-manager as the operator meets it: some time after a Certificate was made or changed, its Secret holds what it asks for, and its status says so.
/// The Secret of a Certificate that is deleted stays, and one that is deleted is made again.</summary>
sealed class SimulatedCertManager(ObjectTable table, TimeProvider time)
{
    static readonly TimeSpan Takes = TimeSpan.FromSeconds(2);

    /// <summary>Of the 30 days that it signs for.</summary>
    static readonly TimeSpan RenewsAfter = TimeSpan.FromDays(20);

    readonly ForeignAuthority authority = ForeignAuthority.Root(time.GetUtcNow().UtcDateTime);
    readonly Dictionary<(string Uid, int Generation), DateTimeOffset> due = [];

    /// <summary>What it says of every Certificate instead of signing it; null when its issuers are well.</summary>
    public string? Refusal { get; set; }

    public void Tick()
    {
        foreach (var item in table.List("certificates"))
        {
            var wanted = ((string)item["metadata"]!["uid"]!, item["metadata"]!["generation"]!.GetValue<int>());
            var soon = time.GetUtcNow() + Takes;
            if (!due.TryGetValue(wanted, out var at) || (at > soon && table.Get("secrets", new ObjectKey(ObjectTable.KeyOf(item).Namespace, (string)item["spec"]!["secretName"]!)) is null)) due[wanted] = at = soon;
            if (time.GetUtcNow() < at) continue;
            if (Refusal is null) due[wanted] = time.GetUtcNow() + RenewsAfter;
            if (Refusal is { } refusal) Say(item, "False", "IssuerNotReady", refusal);
            else Sign(item);
        }
    }

    /// <summary>As if two thirds of their lives were over.</summary>
    public void RenewAll()
    {
        foreach (var wanted in due.Keys.ToList()) due[wanted] = time.GetUtcNow();
    }

    void Sign(JsonObject item)
    {
        var certificate = KubernetesJson.Deserialize<ManagedCertificate>(item.ToJsonString());
        var (spec, key) = (certificate.Spec, ObjectTable.KeyOf(item));
        var secret = authority.Secret(spec.SecretName, time.GetUtcNow().UtcDateTime, [.. spec.DnsNames ?? [], .. spec.IpAddresses ?? []]);
        secret.Metadata.NamespaceProperty = key.Namespace;
        secret.Metadata.Labels = new Dictionary<string, string>(spec.SecretTemplate.Labels);
        secret.Metadata.Annotations = new Dictionary<string, string> { [ManagedCertificates.NameAnnotation] = key.Name };
        var made = (JsonObject)JsonNode.Parse(KubernetesJson.Serialize(secret))!;
        if (table.Get("secrets", new ObjectKey(key.Namespace, spec.SecretName)) is { } there)
        {
            var changed = (JsonObject)there.DeepClone();
            changed["data"] = made["data"]!.DeepClone();
            table.Put("secrets", changed);
        }
        else
        {
            table.Create("secrets", made);
        }

        Say(item, "True", "Ready", "signed");
    }

    void Say(JsonObject item, string status, string reason, string message)
    {
        var generation = item["metadata"]!["generation"]!.GetValue<int>();
        var before = (item["status"]?["conditions"] as JsonArray)?.FirstOrDefault();
        if ((string?)before?["message"] == message && before?["observedGeneration"]?.GetValue<int>() == generation) return;
        var condition = new V1Condition { Type = "Ready", Status = status, Reason = reason, Message = message, ObservedGeneration = generation, LastTransitionTime = time.GetUtcNow().UtcDateTime };
        var told = (JsonObject)item.DeepClone();
        told["status"] = JsonNode.Parse(KubernetesJson.Serialize(new ManagedCertificateStatus { Conditions = [condition] }));
        table.Put("certificates", told);
    }
}
