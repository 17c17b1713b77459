namespace Operator.Core;

/// <summary>What several fields of the custom resources have to look like.</summary>
static class Patterns
{
    /// <summary>Of a Kubernetes object: a DNS subdomain, of at most 253 characters.</summary>
    public const string ObjectName = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";

    /// <summary>In the data of a Secret or ConfigMap, of at most 253 characters.</summary>
    public const string DataKey = "^[-._a-zA-Z0-9]+$";

    /// <summary>A count and a unit that Go, the store's flags and CEL's durations all read, such as 90s.</summary>
    public const string Duration = "^[1-9][0-9]{0,8}[hms]$";

    /// <summary>What names of stored objects begin with, such as backups/payments.</summary>
    public const string ObjectPrefix = "^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$";
}
