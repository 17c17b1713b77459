using System.Text;
using k8s;

namespace Operator.Core;

/// <summary>A short name for a text's content: FNV-1a, 64 bits. It tells versions of our own texts apart; it guards against nobody.</summary>
public static class Fingerprint
{
    public static string Of(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var octet in Encoding.UTF8.GetBytes(text)) hash = (hash ^ octet) * 1099511628211UL;
        return hash.ToString("x16");
    }

    /// <summary>Of an object as it would be sent. Maps count in the order in which the builders write them.</summary>
    public static string Of<T>(T value) where T : notnull => Of(KubernetesJson.Serialize(value));
}
