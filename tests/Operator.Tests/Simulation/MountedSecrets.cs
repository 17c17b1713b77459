using System.Text;
using System.Text.Json.Nodes;
using Operator.Controller;

namespace Operator.Tests;

/// <summary>Secrets as a kubelet has brought them to a pod: whole, and late.</summary>
sealed class MountedSecrets(string @namespace, IReadOnlyDictionary<string, string> secrets)
{
    Dictionary<string, Dictionary<string, string>> folders = new(StringComparer.Ordinal);

    public DateTimeOffset RefreshAt { get; private set; }

    /// <summary>Grows with each change of what the pod sees.</summary>
    public int Version { get; private set; }

    /// <summary>Null for a pod that mounts none without which it could not start.</summary>
    public static MountedSecrets? Of(JsonObject pod)
    {
        var volumes = (pod["spec"]!["volumes"] as JsonArray ?? []).Where(volume => volume!["secret"] is { } secret && (bool?)secret["optional"] != true)
            .ToDictionary(volume => (string)volume!["name"]!, volume => (string)volume!["secret"]!["secretName"]!, StringComparer.Ordinal);
        return volumes.Count == 0 ? null : new MountedSecrets(ObjectTable.KeyOf(pod).Namespace, volumes);
    }

    public bool Mounts(string secret) => secrets.Values.Contains(secret, StringComparer.Ordinal);

    /// <summary>A file of a volume; null when there is none.</summary>
    public string? File(string volume, string entry) => folders.GetValueOrDefault(volume)?.GetValueOrDefault(entry);

    public bool Has(string volume) => folders.ContainsKey(volume);

    /// <returns>False when a Secret is missing: then everything stays as it was.</returns>
    public bool Refresh(ObjectTable table, DateTimeOffset next)
    {
        RefreshAt = next;
        var read = secrets.ToDictionary(secret => secret.Key, secret => table.Get("secrets", new ObjectKey(@namespace, secret.Value)), StringComparer.Ordinal);
        if (read.Values.Any(secret => secret is null)) return false;
        folders = read.ToDictionary(secret => secret.Key, secret => Texts(secret.Value!), StringComparer.Ordinal);
        Version++;
        return true;
    }

    static Dictionary<string, string> Texts(JsonObject secret) => secret["data"]!.AsObject()
        .ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetString(Convert.FromBase64String((string)entry.Value!)), StringComparer.Ordinal);
}
