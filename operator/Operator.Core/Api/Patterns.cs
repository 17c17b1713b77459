namespace Operator.Core;

/// <summary>What several fields of the custom resources have to look like.</summary>
static class Patterns
{
    /// <summary>Of a Kubernetes object: a DNS subdomain, of at most 253 characters.</summary>
    public const string ObjectName = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";

    /// <summary>Of a StoreCluster, of at most 40 characters: its members' names have room for a number behind it.</summary>
    public const string ClusterName = "^[a-z]([-a-z0-9]*[a-z0-9])?$";

    /// <summary>The store's id of a cluster, in hexadecimal, of at most 16 characters.</summary>
    public const string ClusterId = "^[0-9a-f]{1,16}$";

    /// <summary>With its zone, such as 2026-11-27T20:34:00Z, of at most 33 characters.</summary>
    public const string Moment = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,7})?(Z|[+-][0-9]{2}:[0-9]{2})$";

    /// <summary>In the data of a Secret or ConfigMap, of at most 253 characters.</summary>
    public const string DataKey = "^[-._a-zA-Z0-9]+$";

    /// <summary>A count and a unit that Go, the store's flags and CEL's durations all read, such as 90s.</summary>
    public const string Duration = "^[1-9][0-9]{0,8}[hms]$";

    /// <summary>What names of stored objects begin with, such as backups/payments.</summary>
    public const string ObjectPrefix = "^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$";
}
