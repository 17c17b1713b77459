using System.Globalization;
using Store.Server;

namespace Store;

/// <summary>The file and the flags behind `store snapshot status|restore`, in any order, as "--name value" or "--name=value".</summary>
sealed class SnapshotArguments
{
    /// <summary>Flags that the start of a member has, too.</summary>
    public static readonly IReadOnlyList<string> OfMember =
        ["data-dir", "wal-dir", "name", "initial-cluster", "initial-cluster-token", "initial-advertise-peer-urls"];

    public static readonly IReadOnlyList<string> OfStatus = ["write-out", "help"];

    public static readonly IReadOnlyList<string> OfRestore =
        [.. OfMember, "skip-hash-check", "bump-revision", "mark-compacted", "initial-memory-map-size", .. OfStatus];

    static readonly string[] booleans = ["skip-hash-check", "mark-compacted", "help"];
    static readonly string[] outputs = ["simple", "table", "json", "fields"];

    readonly Dictionary<string, string> flags = new(StringComparer.Ordinal);
    string? file;

    SnapshotArguments() { }

    public bool WantsHelp => Boolean("help") ?? false;

    public string File => file ?? throw new FlagException("name the snapshot file; see store snapshot --help");

    public string Output
    {
        get
        {
            var output = flags.GetValueOrDefault("write-out", outputs[0]);
            return outputs.Contains(output) ? output : throw new FlagException($"--write-out must be one of {string.Join(", ", outputs)}, not '{output}'");
        }
    }

    /// <exception cref="FlagException">A flag is unknown or lacks its value, or there are two files.</exception>
    public static SnapshotArguments Parse(IReadOnlyList<string> arguments, IReadOnlyList<string> known)
    {
        var parsed = new SnapshotArguments();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith('-')) parsed.TakeFile(argument);
            else parsed.TakeFlag(argument.TrimStart('-'), known, () => ++i < arguments.Count ? arguments[i] : null);
        }
        return parsed;
    }

    public bool Has(string name) => name is not "skip-hash-check" ? flags.ContainsKey(name) : Boolean(name) ?? false;

    public string Text(string name) => flags[name];

    /// <summary>Null when it was not given.</summary>
    public bool? Boolean(string name) => flags.GetValueOrDefault(name) switch
    {
        null => null,
        "true" or "1" => true,
        "false" or "0" => false,
        var other => throw new FlagException($"--{name} must be true or false, not '{other}'"),
    };

    /// <summary>Null when it was not given.</summary>
    public long? Number(string name)
    {
        if (flags.GetValueOrDefault(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FlagException($"--{name} must be a whole number from 0 on, not '{text}'");
    }

    void TakeFile(string argument)
    {
        if (file is not null) throw new FlagException($"there are two files, '{file}' and '{argument}'; name one");
        file = argument;
    }

    void TakeFlag(string flag, IReadOnlyList<string> known, Func<string?> next)
    {
        string? value = null;
        if (flag.IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals) (flag, value) = (flag[..equals], flag[(equals + 1)..]);
        var name = flag switch { "w" => "write-out", "h" => "help", _ => flag };
        if (!known.Contains(name)) throw new FlagException($"unknown flag --{flag}; see store snapshot --help");
        value ??= booleans.Contains(name) ? "true" : next();
        flags[name] = value ?? throw new FlagException($"--{flag} needs a value");
    }
}
