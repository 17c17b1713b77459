namespace Store.Simulation;

/// <summary>What one run is made of. The seed decides everything else: the same options always tell the same story.</summary>
public sealed record SimulationOptions
{
    public required int Seed { get; init; }

    public int Members { get; init; } = 3;

    public int Clients { get; init; } = 4;

    public int Watchers { get; init; } = 3;

    /// <summary>Virtual time during which faults happen; then everything heals and must come together.</summary>
    public int FaultyMilliseconds { get; init; } = 20_000;

    public Fault Faults { get; init; } = Fault.All;

    /// <summary>A deliberate mistake: proof that the checks see what they are there for.</summary>
    public Bug Bug { get; init; }

    /// <summary>The command that tells the same story again.</summary>
    public string Replay =>
        $"dotnet run --project tests/Store.Simulation -c Release -- --seed {Seed} --members {Members}"
        + (Bug == Bug.None ? "" : $" --bug {Bug}") + (Faults == Fault.All ? "" : $" --faults {Faults}");
}

[Flags]
public enum Fault
{
    None = 0,
    /// <summary>Messages are late, lost, reordered and doubled.</summary>
    Network = 1,
    Partition = 2,
    /// <summary>Members die; what was not synced is lost or torn.</summary>
    Crash = 4,
    /// <summary>Members stop for a while and go on as if nothing had happened.</summary>
    Pause = 8,
    /// <summary>Ticks come too fast, too slowly, or in bursts.</summary>
    Clock = 16,
    SlowDisk = 32,
    Membership = 64,
    /// <summary>A member comes back from a crash with another state than it had, and nothing on its disk tells.</summary>
    Rot = 128,
    All = Network | Partition | Crash | Pause | Clock | SlowDisk | Membership | Rot,
}

/// <summary>Deliberate mistakes, each in the place where a real one would be made.</summary>
public enum Bug
{
    None,
    /// <summary>The disk says "done" before it is.</summary>
    AnswerBeforePersist,
    /// <summary>A restarted member does not know whom it voted for.</summary>
    ForgetVote,
    /// <summary>The disk keeps an entry that another leader's should have replaced.</summary>
    KeepOverwritten,
    /// <summary>The applied index is not in the same write as what was applied: entries are applied twice after a crash.</summary>
    ApplyTwice,
    /// <summary>A crash loses part of a batch.</summary>
    TornBatch,
    /// <summary>The log is cut up to what was applied, though the engine has not flushed it.</summary>
    CutUnflushedLog,
    /// <summary>A follower acknowledges entries that it has refused.</summary>
    AcknowledgeRefused,
    /// <summary>A leader answers a linearizable read from what it has, without asking anyone.</summary>
    ReadWithoutQuorum,
    /// <summary>A proposal that may have been lost is sent again by itself.</summary>
    ProposeTwice,
    /// <summary>A snapshot says that it stands for more than it holds.</summary>
    SnapshotTooOld,
    /// <summary>Watchers are told of a batch by its last revision alone.</summary>
    WatchSkips,
    /// <summary>Nobody compares states, so that a member whose state has rotted goes on with it.</summary>
    NeverCompare,
    /// <summary>A leader counts members for entries of earlier terms (Raft, figure 8).</summary>
    CommitOldTermByCounting,
}
