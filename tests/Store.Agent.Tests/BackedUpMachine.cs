using System.Diagnostics.CodeAnalysis;
using Store.State;
using Store.State.Tests;

namespace Store.Agent.Tests;

/// <summary>A state machine whose state is backed up into a folder, or into what a test gives, with the time told by the test.</summary>
sealed class BackedUpMachine : IDisposable
{
    public const string Cluster = "00000000000000aa";
    static readonly DateTimeOffset Start = new(2026, 11, 27, 20, 0, 0, TimeSpan.Zero);

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("backup-test-");
    readonly BackupKey? key;
    uint ids;

    public BackedUpMachine(BackupKey? key = null, IBackupTarget? target = null)
    {
        this.key = key;
        Scratch = folder.CreateSubdirectory("scratch").FullName;
        Connect(target ?? new DirectoryTarget(folder.CreateSubdirectory("target").FullName));
    }

    /// <summary>With so few events in memory that most of what is backed up comes from there in part, and from the engine in part.</summary>
    public Machine Machine { get; } = new(new() { EventTailBytes = 2_000 });

    public string Scratch { get; }

    public IBackupTarget Target { get; private set; }

    public BackupCatalogue Catalogue { get; private set; }

    public BackupWriter Writer { get; private set; }

    /// <summary>Moves on with each backup.</summary>
    public DateTimeOffset Now { get; private set; } = Start;

    public void Advance(TimeSpan time) => Now += time;

    /// <summary>As an agent does that starts: it knows nothing but what is there.</summary>
    [MemberNotNull(nameof(Target), nameof(Catalogue), nameof(Writer))]
    public void Connect(IBackupTarget target)
    {
        Target = target;
        Catalogue = new(target, key);
        Writer = new(target, Catalogue, key, Scratch);
    }

    /// <summary>What the other backups lack, or everything when they cannot be gone on from.</summary>
    public async Task<Manifest> TakeNextAsync(CancellationToken cancellationToken)
    {
        var newest = RecoveryPlan.Newest((await Catalogue.ReadAsync(Cluster, cancellationToken)).Backups)?.Chain[^1];
        return await TakeAsync(newest is null || newest.To < Machine.View.Compacted.Value ? null : newest, cancellationToken);
    }

    public Task<Manifest> TakeFullAsync(CancellationToken cancellationToken) => TakeAsync(null, cancellationToken);

    async Task<Manifest> TakeAsync(Manifest? after, CancellationToken cancellationToken)
    {
        using var view = Machine.View.Pin();
        using var image = new SnapshotImage(EtcdBackend.Of(view, new(after?.To ?? 0)), cancellationToken);
        Advance(TimeSpan.FromSeconds(2));
        var draft = new Manifest
        {
            Format = Manifest.KnownFormat,
            Id = BackupName.NewId(Now, ids++),
            History = "history",
            Kind = after is null ? BackupKind.Full : BackupKind.Delta,
            ClusterId = Cluster,
            MemberId = "0000000000000001",
            From = after?.To ?? 0,
            To = view.View.Revision.Value,
            Compacted = view.View.Compacted.Value,
            AppliedIndex = view.View.Applied.Value,
            Mark = view.MarkOf(view.View.Revision),
            KvHash = view.HashKv(),
            Points = [new(view.View.Revision.Value, Now)],
            PlainBytes = image.Bytes,
            Parts = [],
            Version = "test",
        };
        return await Writer.WriteAsync(draft, image.ReadAsync(), Pace.None, cancellationToken);
    }

    /// <summary>One run of deltas that waits for it; false when there is none.</summary>
    public async Task<bool> MergeAsync(CancellationToken cancellationToken)
    {
        if (DeltaMerging.Next((await Catalogue.ReadAsync(Cluster, cancellationToken)).Backups) is not { } run) return false;
        await new DeltaMerge(Catalogue, new(Target, key), Writer, Scratch, "test").RunAsync(run, BackupName.NewId(Now, ids++), Pace.None, cancellationToken);
        return true;
    }

    /// <summary>As a process does that knows nothing but the folder. The revision stays, so that states can be compared.</summary>
    public async Task<Machine> RestoreAsync(RecoveryTarget target, CancellationToken cancellationToken)
    {
        var plan = BackupChoice.Find(await new BackupCatalogue(Target, key).ReadAsync("", cancellationToken), null, target);
        using var unpacked = await UnpackedBackups.OpenAsync(plan, new(Target, key), Scratch, cancellationToken);
        var engine = new MemoryEngine();
        var backend = unpacked.Backend;
        StateRestore.Run(backend.Read, new(0, MarkCompacted: false) { FormerLeases = backend.FormerLeases }, engine);
        return new(engine: engine);
    }

    public void Dispose()
    {
        Target.Dispose();
        folder.Delete(recursive: true);
    }
}
