namespace Store.Server;

/// <summary>Flags as given: command line before ETCD_ variables before STORE_ variables before defaults.</summary>
sealed class FlagValues
{
    readonly Dictionary<string, string> given = new(StringComparer.Ordinal);
    readonly List<string> notices = [];

    FlagValues() { }

    /// <summary>
    /// Takes the forms that Go's flag package takes: -name value, --name value, --name=value; a boolean stands alone or with =value.
    /// </summary>
    /// <exception cref="FlagException">A flag is unknown, or its value is missing or malformed.</exception>
    public static FlagValues Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var values = new FlagValues();
        values.ReadArguments(arguments);
        foreach (var flag in FlagTable.All)
        {
            if (values.given.ContainsKey(flag.Name) || flag.Name is "version" or "help") continue;
            foreach (var prefix in (ReadOnlySpan<string>)["ETCD_", "STORE_"])
            {
                if (environment(prefix + flag.EnvironmentName) is not { Length: > 0 } value) continue;
                values.Set(flag, value, prefix + flag.EnvironmentName);
                break;
            }
        }

        if (values.Text("config-file") is { Length: > 0 } path && !values.Has("version") && !values.Has("help")) values.ReadFile(path);
        foreach (var (name, value) in values.given)
        {
            var flag = FlagTable.ByName[name];
            if (flag.NotYet is { } feature && value != flag.Default)
                throw new FlagException($"--{name} {value} is not supported by this version yet ({feature}); remove the flag");
        }

        return values;
    }

    /// <summary>What the user should know but does not keep the member from starting; one line each.</summary>
    public IReadOnlyList<string> Notices => notices;

    public bool FromFile { get; private set; }

    public bool Has(string name) => given.ContainsKey(name);

    public string Text(string name) => given.GetValueOrDefault(name) ?? FlagTable.ByName[name].Default;

    public bool Boolean(string name) => FlagSyntax.Boolean(Text(name))!.Value;

    public long Number(string name) => FlagSyntax.Number(Text(name))!.Value;

    public TimeSpan Duration(string name) => FlagSyntax.Duration(Text(name))!.Value;

    /// <summary>The value as a number within bounds.</summary>
    public int Number(string name, int min, int max)
    {
        var value = Number(name);
        return value >= min && value <= max ? (int)value : throw new FlagException($"--{name} must be between {min} and {max}, not {value}");
    }

    void ReadFile(string path)
    {
        var ignored = given.Keys.Where(name => name != "config-file").Order(StringComparer.Ordinal).ToArray();
        if (ignored.Length > 0) notices.Add($"--config-file {path} is all that counts; these are ignored: --{string.Join(", --", ignored)}");
        given.Clear();
        foreach (var (flag, value) in ConfigFile.Read(path, notices)) Set(flag, value, $"{flag.Name} in {path}");
        FromFile = true;
    }

    void ReadArguments(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            var name = argument.StartsWith("--", StringComparison.Ordinal) ? argument[2..] : argument.StartsWith('-') ? argument[1..] : "";
            if (name.Length == 0) throw new FlagException($"'{argument}' is not a valid flag; see --help");

            string? value = null;
            if (name.IndexOf('=', StringComparison.Ordinal) is >= 0 and var equals) (name, value) = (name[..equals], name[(equals + 1)..]);
            if (name == "h") name = "help";
            if (!FlagTable.ByName.TryGetValue(name, out var flag)) throw Unknown(name);
            if (value is null && flag.Kind == FlagKind.Boolean) value = "true";
            if (value is null && ++i < arguments.Count) value = arguments[i];
            Set(flag, value ?? throw new FlagException($"--{name} needs a value"), "--" + name);
        }
    }

    void Set(Flag flag, string value, string source)
    {
        var (valid, form) = flag.Kind switch
        {
            FlagKind.Boolean => (FlagSyntax.Boolean(value) is not null, "true or false"),
            FlagKind.Number => (FlagSyntax.Number(value) is not null, "a whole number"),
            FlagKind.Duration => (FlagSyntax.Duration(value) is not null, "a duration such as 500ms, 5s or 1h30m"),
            _ => (true, ""),
        };
        if (!valid) throw new FlagException($"invalid value \"{value}\" for {source}: expected {form}");
        given[flag.Name] = value;
    }

    static FlagException Unknown(string name) => new(
        FlagTable.Nearest(name) is { } nearest ? $"unknown flag --{name}; did you mean --{nearest}?" : $"unknown flag --{name}; see --help");
}
