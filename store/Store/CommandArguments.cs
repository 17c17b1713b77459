using System.Globalization;
using Store.Server;

namespace Store;

/// <summary>What stands behind a subcommand: flags in any order, as "--name value" or "--name=value", and a file where it takes one.</summary>
/// <param name="command">As it is typed, for messages.</param>
/// <param name="booleans">Flags that may stand without a value.</param>
sealed class CommandArguments(string command, IReadOnlyList<string> booleans)
{
    static readonly string[] Outputs = ["simple", "table", "json", "fields"];

    readonly Dictionary<string, string> flags = new(StringComparer.Ordinal);
    string? file;

    public bool WantsHelp => Boolean("help") ?? false;

    public bool HasFile => file is not null;

    public string File => file ?? throw new FlagException($"name the file; see {command} --help");

    public string Output
    {
        get
        {
            var output = flags.GetValueOrDefault("write-out", Outputs[0]);
            return Outputs.Contains(output) ? output : throw new FlagException($"--write-out must be one of {string.Join(", ", Outputs)}, not '{output}'");
        }
    }

    /// <exception cref="FlagException">A flag is unknown or lacks its value, or there are two files.</exception>
    public static CommandArguments Parse(string command, IReadOnlyList<string> arguments, IReadOnlyList<string> known, params IReadOnlyList<string> booleans)
    {
        var parsed = new CommandArguments(command, [.. booleans, "help"]);
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith('-')) parsed.TakeFile(argument);
            else parsed.TakeFlag(argument.TrimStart('-'), known, () => ++i < arguments.Count ? arguments[i] : null);
        }
        return parsed;
    }

    public bool Has(string name) => booleans.Contains(name) ? Boolean(name) ?? false : flags.ContainsKey(name);

    public string Text(string name) => flags[name];

    /// <summary>Null when it was not given.</summary>
    public string? TextOrNull(string name) => flags.GetValueOrDefault(name);

    /// <summary>Null when it was not given.</summary>
    public TimeSpan? Duration(string name)
    {
        if (TextOrNull(name) is not { } text) return null;
        return FlagSyntax.Duration(text) is { } duration && duration >= TimeSpan.Zero
            ? duration
            : throw new FlagException($"--{name} must be a duration such as 500ms, 5s or 1h30m, not '{text}'");
    }

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
        if (!known.Contains(name)) throw new FlagException($"unknown flag --{flag}; see {command} --help");
        value ??= booleans.Contains(name) ? "true" : next();
        flags[name] = value ?? throw new FlagException($"--{flag} needs a value");
    }
}
