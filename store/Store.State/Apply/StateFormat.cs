namespace Store.State;

/// <summary>
/// The format of the state on disk, and when a new one is written (design S15): not before the cluster has agreed to a version that all its members have,
/// which is when every member can read it. Until then each may go back to the version before; from then on that one refuses the data in one line. A cluster
/// version that is lowered again brings the old format back with the next entry.
/// </summary>
static class StateFormat
{
    public const byte First = 1;

#if NEXT_FORMAT
    // A build for the tests of upgrades: the version after this one, whose format differs in its number alone.
    public const byte Newest = 2;
#else
    public const byte Newest = 1;
#endif

    /// <summary>The cluster version from which on a format is written, by format, from the second one on.</summary>
    static readonly (int Major, int Minor)[] WrittenFrom = [(3, 8)];

    /// <summary>What every member of a cluster of this version can read.</summary>
    public static byte Under(string clusterVersion)
    {
        var format = First;
        if (ClusterVersions.Parse(clusterVersion) is not { } version) return format;
        while (format < Newest && version.CompareTo(WrittenFrom[format - First]) >= 0) format++;
        return format;
    }

    public static void RequireKnown(byte found)
    {
        if (found is < First or > Newest) throw new StateFormatException(found, Newest);
    }
}
