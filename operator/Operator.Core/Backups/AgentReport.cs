namespace Operator.Core;

/// <summary>What one member's backup agent tells of the backups at the location: see /status in store/Store.Agent/README.md.</summary>
public sealed record AgentReport
{
    public string? Location { get; init; }

    /// <summary>Whether it is this agent's turn to take backups.</summary>
    public bool Turn { get; init; }
    public DateTimeOffset? RecoverableFrom { get; init; }

    /// <summary>Everything that was acknowledged before can be restored, by backups that were read back and verified; null while nothing can.</summary>
    public DateTimeOffset? RecoverableTo { get; init; }
    public long RecoverableRevision { get; init; }
    public int Fulls { get; init; }
    public AgentBackup? LastFull { get; init; }

    /// <summary>Its own, since it started.</summary>
    public AgentFailure? LastFailure { get; init; }

    /// <inheritdoc cref="LastFailure"/>
    public AgentDrill? LastDrill { get; init; }
}

static class AgentReports
{
    /// <summary>In an order that stays, so that nothing is written for another one.</summary>
    public static IEnumerable<KeyValuePair<MemberName, AgentReport>> ByNumber(this IReadOnlyDictionary<MemberName, AgentReport> agents) => agents.OrderBy(pair => pair.Key.Number);

    /// <summary>The last attempt that failed, whoever made it.</summary>
    public static AgentFailure? LastFailure(this IReadOnlyDictionary<MemberName, AgentReport> agents) =>
        agents.ByNumber().Select(pair => pair.Value.LastFailure).OfType<AgentFailure>().MaxBy(failure => failure.At);
}

public sealed record AgentBackup(string Id, long Revision, DateTimeOffset Time, long Bytes, long StoredBytes);

/// <param name="Failure">One word: Unreachable, Denied, Full, Damaged, NotRecoverable, Misconfigured or Member.</param>
public sealed record AgentFailure(DateTimeOffset At, string Failure, string Message);

/// <param name="Problem">Null when it succeeded.</param>
public sealed record AgentDrill(DateTimeOffset At, TimeSpan Took, long Revision, string? Problem);
