using System.Globalization;

namespace Operator.Core;

/// <summary>spec.server as flags of the store. What the spec leaves out is left out here, so that a store's new default reaches clusters with its image and
/// no operator restarts members by learning a new option.</summary>
static class ServerArguments
{
    public static List<string> Of(ServerSpec? server)
    {
        var arguments = new List<string>();
        if (server is null) return arguments;
        void Add(string flag, object? value)
        {
            if (value is not null) arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--{flag}={value}"));
        }

        Add("heartbeat-interval", server.HeartbeatIntervalMs);
        Add("election-timeout", server.ElectionTimeoutMs);
        Add("quota-backend-bytes", Bytes(server.QuotaBytes));
        Add("auto-compaction-mode", server.AutoCompaction?.Mode.ToLowerInvariant());
        Add("auto-compaction-retention", server.AutoCompaction?.Retention);
        Add("snapshot-catchup-entries", server.SnapshotCatchUpEntries);
        Add("max-request-bytes", Bytes(server.MaxRequestBytes));
        Add("max-txn-ops", server.MaxTxnOps);
        Add("log-level", server.LogLevel?.ToLowerInvariant());
        return arguments;
    }

    static long? Bytes(Quantity? quantity) => quantity is { } value ? (long)value.ToResourceQuantity().ToDecimal() : null;
}
