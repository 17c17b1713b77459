using System.Text;

namespace Store.Server;

/// <summary>What the arguments ask for.</summary>
public abstract record CommandLine
{
    CommandLine() { }

    public sealed record Serve(ServerOptions Options) : CommandLine;

    /// <summary>Text for standard output; exit code zero.</summary>
    public sealed record Print(string Text) : CommandLine;

    /// <summary>One line for standard error; exit code one.</summary>
    public sealed record Wrong(string Message) : CommandLine;

    public static CommandLine Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        if (arguments is ["version"]) return new Print(ServerVersion.Text);
        try
        {
            var flags = FlagValues.Parse(arguments, environment);
            if (flags.Boolean("version")) return new Print(ServerVersion.Text);
            return flags.Boolean("help") ? new Print(Help()) : new Serve(ServerOptionsReader.Read(flags));
        }
        catch (FlagException exception)
        {
            return new Wrong(exception.Message);
        }
    }

    static string Help()
    {
        var text = new StringBuilder(
            """
            Usage:
              store [flags]                   Start a member.
              store version                   Print the versions.
              store snapshot status FILE      Tell what a snapshot holds.
              store snapshot restore FILE     Make the data directory of a member of a new cluster.

            Every flag can also be given in the environment: --data-dir as ETCD_DATA_DIR or STORE_DATA_DIR. The command line comes first, then ETCD_, then STORE_.

            Flags:

            """);
        foreach (var flag in FlagTable.All.Where(f => f.NotYet is null && !f.Help.StartsWith("Accepted for etcd's sake", StringComparison.Ordinal)))
        {
            text.Append("  --").Append(flag.Name);
            if (flag.Default.Length > 0) text.Append(" '").Append(flag.Default).Append('\'');
            text.Append("\n        ").Append(flag.Help).Append('\n');
        }

        return text.ToString().TrimEnd();
    }
}
