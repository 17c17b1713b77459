namespace Store.Agent.Tests;

/// <summary>Manifests as short as a test needs them.</summary>
static class ManifestOf
{
    static readonly DateTimeOffset Start = new(2026, 11, 23, 0, 30, 0, TimeSpan.Zero);

    /// <param name="at">Hours after a Monday, 00:30.</param>
    public static Manifest Full(long to, double at = 0, long compacted = -1) => Of(BackupKind.Full, 0, to, at, compacted);

    public static Manifest Delta(long from, long to, double at = 0, int level = 0) => Of(BackupKind.Delta, from, to, at, -1) with { Level = level };

    public static DateTimeOffset Time(double at) => Start.AddHours(at);

    static Manifest Of(BackupKind kind, long from, long to, double at, long compacted) => new()
    {
        Format = Manifest.KnownFormat,
        Id = BackupName.NewId(Time(at), (uint)to),
        History = "history",
        Kind = kind,
        ClusterId = BackedUpMachine.Cluster,
        MemberId = "1",
        From = from,
        To = to,
        Compacted = compacted,
        AppliedIndex = (ulong)to,
        Mark = 0,
        Points = [new(to, Time(at))],
        PlainBytes = 3,
        Parts = [new(3, 3, "00")],
        Version = "test",
    };
}
