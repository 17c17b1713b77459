namespace Store.State;

/// <summary>How the version that all members agreed to moves (contract 1.13, design S15).</summary>
static class ClusterVersions
{
    /// <summary>The version to propose now; null when some member has not told its own, or nothing would rise. A downgrade is the one thing that lowers it.</summary>
    public static string? Next(ClusterView cluster)
    {
        if (cluster.DowngradeTarget.Length > 0) return cluster.DowngradeTarget == cluster.Version ? null : cluster.DowngradeTarget;
        (int Major, int Minor)? lowest = null;
        foreach (var member in cluster.Members.Values)
        {
            if (Parse(member.Version) is not { } version) return null;
            if (lowest is not { } known || version.CompareTo(known) < 0) lowest = version;
        }

        if (lowest is not { } next) return null;
        if (Parse(cluster.Version) is { } current && next.CompareTo(current) <= 0) return null;
        return $"{next.Major}.{next.Minor}.0";
    }

    public static (int Major, int Minor)? Parse(string version)
    {
        var parts = version.Split('.');
        return parts.Length >= 2 && int.TryParse(parts[0], out var major) && int.TryParse(parts[1], out var minor) ? (major, minor) : null;
    }
}
