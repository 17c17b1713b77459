using System.Text;
using k8s.Models;

namespace Operator.Core;

/// <summary>What the Secret with root's password is good for. The password itself is the shell's: no decision depends on it.</summary>
/// <param name="Version">Names this content; null when it cannot be used.</param>
/// <param name="Reason">Why not, in one word; empty when it can.</param>
/// <param name="Message">Why not, and what to do.</param>
public sealed record RootSecret(string? Version, string Reason = "", string Message = "")
{
    public static (RootSecret Verdict, string? Password) Read(SecretKeyReference wanted, V1Secret? secret)
    {
        if (secret is null)
            return (new(null, "RootSecretMissing", $"Secret {wanted.Name} does not exist; make it with root's password under the key {wanted.Key}: kubectl create secret generic {wanted.Name} --from-literal={wanted.Key}=..."), null);
        if (secret.Data is null || !secret.Data.TryGetValue(wanted.Key, out var bytes))
            return (new(null, "RootSecretKeyMissing", $"Secret {wanted.Name} has no key {wanted.Key}; add it, or name another in spec.auth.rootSecret.key"), null);
        if (Decode(bytes) is not { Length: > 0 } password)
            return (new(null, "RootPasswordUnusable", $"the key {wanted.Key} of Secret {wanted.Name} is empty, or holds a line break or another character that cannot be typed; make the Secret with --from-literal"), null);
        return (new($"{wanted.Name}/{wanted.Key}@{secret.Metadata.ResourceVersion}"), password);
    }

    public static RootSecret Unreadable(SecretKeyReference wanted, string @namespace, string error) => new(null, "RootSecretUnreadable",
        $"the operator cannot read Secret {wanted.Name}; in namespace {@namespace} it needs the right to get, create and delete Secrets (rbac.secretNamespaces of the chart, or a RoleBinding to its ClusterRole for Secrets): {error}");

    /// <summary>Null for what is no text of one line: a file's last line break is in a password by accident, and nobody could tell why it is refused.</summary>
    static string? Decode(byte[] bytes)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return text.Any(char.IsControl) ? null : text;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
