using System.Text.Json.Serialization;

namespace Operator.Core;

[Cel("!self.enabled || has(self.rootSecret)", "auth.rootSecret is missing: name the Secret that holds root's password")]
public sealed record AuthSpec
{
    [JsonPropertyName("enabled")]
    [Doc("Ask everybody who they are. It is turned on when the cluster has formed, and off again when this is false.")]
    [Default(false)]
    public bool Enabled { get; init; }

    [JsonPropertyName("rootSecret")]
    [Doc("The Secret, in the same namespace, with the password of the user root. When it changes, so does root's password.")]
    public SecretKeyReference? RootSecret { get; init; }
}

public sealed record SecretKeyReference
{
    [JsonPropertyName("name")]
    [Doc("Name of a Secret in the same namespace.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public required string Name { get; init; }

    [JsonPropertyName("key")]
    [Doc("Key of its data.")]
    [Default("password")]
    [Pattern(Patterns.DataKey, MaxLength = 253)]
    public string Key { get; init; } = "password";
}

/// <summary>Is there while authentication is the operator's doing: it is written before the first effect, and taken away after the last.</summary>
public sealed record AuthStatus
{
    [JsonPropertyName("rootSecretVersion")]
    [Doc("The Secret, its key and its resource version of which root has the password; absent until root has it.")]
    public string? RootSecretVersion { get; init; }
}
