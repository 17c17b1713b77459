namespace Store.Agent;

/// <summary>What an agent is made of.</summary>
sealed class AgentParts : IDisposable
{
    readonly IBackupTarget target;

    public AgentParts(AgentOptions options, string version, TimeProvider time)
    {
        var key = options.EncryptionKeyFile is { } file ? BackupKey.Read(file) : null;
        target = options.Location.Open();
        Member = new(options.Member);
        Catalogue = new(target, key);
        var reader = new BackupReader(target, key);
        var writer = new BackupWriter(target, Catalogue, key, options.ScratchFolder);
        Taker = new(Member, writer, options.ScratchFolder, options.FullRateLimit, time);
        Merge = new(Catalogue, reader, writer, options.ScratchFolder, version);
        // It sees what anybody sees who restores: a catalogue of its own.
        Drill = new(new(target, key), reader, options.ScratchFolder, time);
        DrillRecord = new(target, key);
    }

    public string Location => target.Location;

    public MemberClient Member { get; }

    public BackupCatalogue Catalogue { get; }

    public BackupTaker Taker { get; }

    public DeltaMerge Merge { get; }

    public Drill Drill { get; }

    public DrillRecord DrillRecord { get; }

    public void Dispose()
    {
        Member.Dispose();
        target.Dispose();
    }
}
