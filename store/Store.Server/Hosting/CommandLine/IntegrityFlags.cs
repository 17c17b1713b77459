namespace Store.Server;

/// <summary>etcd's flags for comparing what members hold, under their names of today and of before.</summary>
static class IntegrityFlags
{
    public static IntegrityOptions Read(FlagValues flags)
    {
        var gates = Gates(flags.Text("feature-gates"));
        var afterCompaction = gates.GetValueOrDefault("CompactHashCheck") || flags.Boolean("experimental-compact-hash-check-enabled");
        return new()
        {
            AtStart = gates.GetValueOrDefault("InitialCorruptCheck") || flags.Boolean("experimental-initial-corrupt-check"),
            Interval = Period(flags, "corrupt-check-time"),
            AfterCompactionInterval = afterCompaction ? Positive(flags, "compact-hash-check-time") : TimeSpan.Zero,
        };
    }

    static TimeSpan Positive(FlagValues flags, string name) =>
        Period(flags, name) is var period && period > TimeSpan.Zero ? period : throw new FlagException($"--{name} must be >0 (set to {period.TotalSeconds}s)");

    static TimeSpan Period(FlagValues flags, string name) => flags.Duration(flags.Has("experimental-" + name) ? "experimental-" + name : name);

    /// <summary>"A=true,B=false", as Kubernetes writes them.</summary>
    static Dictionary<string, bool> Gates(string text)
    {
        var gates = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var gate in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (gate.Split('=', 2) is not [var name, var value]) throw new FlagException($"--feature-gates: missing bool value for {gate}; write {gate}=true");
            if (!bool.TryParse(value.Trim(), out var on)) throw new FlagException($"--feature-gates: invalid value of {gate}; write true or false");
            gates[name.Trim()] = on;
        }

        return gates;
    }
}
