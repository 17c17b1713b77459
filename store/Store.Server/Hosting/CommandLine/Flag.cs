namespace Store.Server;

enum FlagKind { Text, Boolean, Number, Duration }

/// <summary>One command line flag of etcd's, or of ours.</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="Default">In the form that a user would write; empty for "none".</param>
/// <param name="NotYet">What it belongs to when this build knows the flag but not the feature: any other value than the default is refused.</param>
sealed record Flag(string Name, FlagKind Kind, string Default, string Help, string? NotYet = null)
{
    /// <summary>The name in the environment, without prefix: data-dir is ETCD_DATA_DIR and STORE_DATA_DIR.</summary>
    public string EnvironmentName => Name.Replace('-', '_').ToUpperInvariant();
}

/// <summary>A flag value that cannot be used; the message is the one line to print.</summary>
public sealed class FlagException(string message) : Exception(message);
