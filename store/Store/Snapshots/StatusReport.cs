using System.Globalization;
using System.Text;
using System.Text.Json;
using Store.Agent;
using Store.State;
using Store.Storage;

namespace Store;

/// <summary>Answers of `store snapshot` in etcdutl's forms.</summary>
static class StatusReport
{
    public static string Write(SnapshotStatus status, string form) => form switch
    {
        "json" => Json(json =>
        {
            json.WriteNumber("hash", status.Hash);
            json.WriteNumber("revision", status.Revision);
            json.WriteNumber("totalKey", status.TotalKeys);
            json.WriteNumber("totalSize", status.TotalSizeBytes);
            json.WriteString("version", status.Version);
        }),
        "fields" => Lines(("Hash", status.Hash), ("Revision", status.Revision), ("Keys", status.TotalKeys), ("Size", status.TotalSizeBytes), ("Version", status.Version)),
        "table" => Table(Row(status)),
        _ => string.Join(", ", Row(status).Select(column => column.Value)),
    };

    /// <param name="plan">Of a restore from backups.</param>
    public static string Write(RestoredState restored, Storage.MemberIdentity member, string folder, string form, RecoveryPlan? plan = null) => form switch
    {
        "json" => Json(json =>
        {
            json.WriteString("dataDir", folder);
            json.WriteNumber("clusterId", member.ClusterId);
            json.WriteNumber("memberId", member.Member.Value);
            json.WriteNumber("revision", restored.Revision.Value);
            json.WriteNumber("snapshotRevision", restored.SnapshotRevision.Value);
            json.WriteNumber("rows", restored.Rows);
            json.WriteNumber("leases", restored.Leases);
            json.WriteNumber("droppedAlarms", restored.DroppedAlarms);
            if (plan is null) return;
            json.WriteString("backup", plan.Chain[0].Id);
            json.WriteNumber("deltas", plan.Chain.Count - 1);
            json.WriteString("backupTime", plan.Chain[^1].Time);
        }),
        "fields" => Lines(
            ("DataDir", folder), ("ClusterID", member.ClusterId), ("MemberID", member.Member.Value), ("Revision", restored.Revision.Value),
            ("SnapshotRevision", restored.SnapshotRevision.Value), ("Rows", restored.Rows), ("Leases", restored.Leases), ("DroppedAlarms", restored.DroppedAlarms)),
        "table" => Table(
        [
            ("CLUSTER ID", $"{member.ClusterId:x}"), ("MEMBER ID", $"{member.Member}"), ("SNAPSHOT REVISION", $"{restored.SnapshotRevision}"), ("REVISION", $"{restored.Revision}"),
            ("ROWS", $"{restored.Rows}"), ("LEASES", $"{restored.Leases}"),
        ]),
        _ => (plan is null ? "" : $"took backup {plan.Chain[0].Id} and {plan.Chain.Count - 1} deltas, the last of {plan.Chain[^1].Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\n")
            + $"restored {folder} for {member}: {restored.Rows} rows and {restored.Leases} leases; the revision was {restored.SnapshotRevision} and is {restored.Revision}"
            + (restored.DroppedAlarms > 0 ? $"; {restored.DroppedAlarms} alarms of the old members were not taken over" : ""),
    };

    static List<(string Header, string Value)> Row(SnapshotStatus status)
    {
        List<(string, string)> row =
        [
            ("HASH", status.Hash.ToString("x", CultureInfo.InvariantCulture)), ("REVISION", $"{status.Revision}"), ("TOTAL KEYS", $"{status.TotalKeys}"),
            ("TOTAL SIZE", Humanize(status.TotalSizeBytes)),
        ];
        if (status.Version.Length > 0) row.Add(("STORAGE VERSION", status.Version));
        return row;
    }

    /// <summary>As etcdutl writes sizes: "57 kB", "1.5 MB".</summary>
    static string Humanize(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        if (bytes < 10) return $"{bytes} B";
        var unit = (int)Math.Floor(Math.Log(bytes, 1000));
        var value = Math.Floor(bytes / Math.Pow(1000, unit) * 10 + 0.5) / 10;
        return value.ToString(value < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    static string Table(IReadOnlyList<(string Header, string Value)> columns)
    {
        var widths = columns.Select(column => Math.Max(column.Header.Length, column.Value.Length)).ToList();
        string Rule(char left, char middle, char right) => left + string.Join(middle, widths.Select(width => new string('─', width + 2))) + right;
        string Cells(IEnumerable<string> cells) => "│ " + string.Join(" │ ", cells) + " │";
        return string.Join(
            '\n', Rule('┌', '┬', '┐'), Cells(columns.Zip(widths, (column, width) => Centred(column.Header, width))), Rule('├', '┼', '┤'),
            Cells(columns.Zip(widths, (column, width) => column.Value.PadLeft(width))), Rule('└', '┴', '┘'));
    }

    static string Centred(string text, int width) => text.PadLeft(text.Length + (width - text.Length) / 2).PadRight(width);

    static string Lines(params ReadOnlySpan<(string Name, object Value)> lines)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in lines) text.Append(CultureInfo.InvariantCulture, $"\"{name}\" : {(value is string word ? $"\"{word}\"" : value)}\n");
        return text.ToString().TrimEnd('\n');
    }

    static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
