namespace Store.Server;

/// <summary>etcd's flags for comparing what members hold, under their names of today and of before.</summary>
static class IntegrityFlags
{
    public static IntegrityOptions Read(FlagValues flags)
    {
        var gates = FeatureGates.Read(flags);
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
}
