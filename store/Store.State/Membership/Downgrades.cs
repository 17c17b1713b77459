namespace Store.State;

/// <summary>Going back to the version before (contract 1.9): what may be asked, and when it is done.</summary>
/// <remarks>
/// The cluster speaks 3.8. "Enable 3.7" lowers the cluster version to 3.7.0 although all members could do more, so all write the format that 3.7 reads; members are
/// then replaced by 3.7 one after the other. When the last has told its version the downgrade is over, and the cluster version may rise again one day.
/// </remarks>
public static class Downgrades
{
    /// <summary>"3.7.0" of "3.7", "3.7.0" or "3.7.5"; null when it is no version.</summary>
    public static string? Normalize(string version)
    {
        var parts = version.Split('.');
        if (parts.Length is < 2 or > 3 || !parts.All(part => part.Length is > 0 and < 10 && part.All(char.IsAsciiDigit))) return null;
        return ClusterVersions.Parse(version) is var (major, minor) ? $"{major}.{minor}.0" : null;
    }

    /// <summary>Whether the cluster may go to this version: one minor version down, and no other downgrade under way.</summary>
    public static StoreError Check(ClusterView cluster, string target)
    {
        if (ClusterVersions.Parse(cluster.Version) is not var (major, minor)) return StoreError.DowngradeClusterVersionNotFound;
        if (ClusterVersions.Parse(target) != (major, minor - 1)) return StoreError.InvalidDowngradeTargetVersion;
        return cluster.DowngradeTarget.Length > 0 ? StoreError.DowngradeInProgress : StoreError.None;
    }

    public static StoreError CheckCancel(ClusterView cluster) => cluster.DowngradeTarget.Length > 0 ? StoreError.None : StoreError.NoInflightDowngrade;

    /// <summary>Every member has told that it is of the target's version.</summary>
    internal static bool IsDone(ClusterView cluster) =>
        cluster.DowngradeTarget.Length > 0 && ClusterVersions.Parse(cluster.DowngradeTarget) is { } target
        && cluster.Members.Values.All(member => ClusterVersions.Parse(member.Version) == target);
}
