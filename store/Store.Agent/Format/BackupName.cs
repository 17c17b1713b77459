using System.Globalization;

namespace Store.Agent;

/// <summary>
/// Where the objects of a backup are. A list of names is enough to see what there is, and what belongs to no backup.
/// <code>
/// cdf818194e3a8c32/backups/0000000000000000130-0000000000000000100-delta-20261127T203400Z-1f2e3d4c.json
/// cdf818194e3a8c32/parts/20261127T203400Z-1f2e3d4c/00000
/// cdf818194e3a8c32/drill.json
/// </code>
/// Each cluster has a folder of its own: one that was restored is another cluster, and its revisions are others'.
/// </summary>
static class BackupName
{
    const string Manifests = "/backups/", Parts = "/parts/", Extension = ".json", Drill = "/drill.json";
    const string IdTime = "yyyyMMdd'T'HHmmss'Z'";

    public static string NewId(DateTimeOffset now, uint chance) => string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime.ToString(IdTime, CultureInfo.InvariantCulture)}-{chance:x8}");

    public static string Cluster(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    public static string ManifestsOf(string cluster) => cluster + Manifests;

    public static string PartsOf(string cluster) => cluster + Parts;

    public static string Of(Manifest manifest) => string.Create(
        CultureInfo.InvariantCulture, $"{manifest.ClusterId}{Manifests}{manifest.To:D19}-{manifest.From:D19}-{(manifest.IsFull ? "full" : "delta")}-{manifest.Id}{Extension}");

    public static string OfPart(string cluster, string id, int number) => string.Create(CultureInfo.InvariantCulture, $"{cluster}{Parts}{id}/{number:D5}");

    /// <summary>Of the last one.</summary>
    public static string DrillOf(string cluster) => cluster + Drill;

    public static bool IsDrill(string name) => name.EndsWith(Drill, StringComparison.Ordinal);

    public static bool IsManifest(string name) => name.Contains(Manifests, StringComparison.Ordinal) && name.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>The backup that a manifest or a part is of; null for other objects.</summary>
    public static string? IdOf(string name)
    {
        if (IsManifest(name)) return string.Join('-', Path.GetFileNameWithoutExtension(name).Split('-').TakeLast(2));
        var at = name.IndexOf(Parts, StringComparison.Ordinal);
        return at < 0 ? null : name[(at + Parts.Length)..].Split('/')[0];
    }
}
