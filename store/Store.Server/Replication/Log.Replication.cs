using Microsoft.Extensions.Logging;

namespace Store.Server;

static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "established connection with peer")]
    public static partial void PeerConnected(ILogger logger, string peer);

    [LoggerMessage(Level = LogLevel.Debug, Message = "lost connection with peer")]
    public static partial void PeerLost(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "peer refused the connection")]
    public static partial void PeerRefused(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "refused a peer's connection")]
    public static partial void PeerTurnedAway(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "leader changed")]
    public static partial void LeaderChanged(ILogger logger, string leader, ulong term);

    [LoggerMessage(Level = LogLevel.Information, Message = "sending snapshot")]
    public static partial void SnapshotSending(ILogger logger, string peer, ulong index);

    [LoggerMessage(Level = LogLevel.Information, Message = "sent snapshot")]
    public static partial void SnapshotSent(ILogger logger, string peer, ulong index, long bytes, long tookMs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "failed to send snapshot")]
    public static partial void SnapshotNotSent(ILogger logger, string peer, ulong index, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "received snapshot")]
    public static partial void SnapshotReceived(ILogger logger, string peer, ulong index);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not receive snapshot")]
    public static partial void SnapshotNotReceived(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "installed snapshot")]
    public static partial void SnapshotInstalled(ILogger logger, ulong index, long tookMs);

    [LoggerMessage(Level = LogLevel.Warning, Message = "notice about the data directory")]
    public static partial void DataNotice(ILogger logger, string notice);

    [LoggerMessage(Level = LogLevel.Information, Message = "booted member")]
    public static partial void Booted(ILogger logger, string member, string cluster, string how, ulong applied, ulong lastIndex, long tookMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "published local member to cluster through raft")]
    public static partial void AttributesPublished(ILogger logger, string member);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the loop was stalled; ticks were skipped")]
    public static partial void LoopStalled(ILogger logger, long stallMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "serving peer traffic")]
    public static partial void ServingPeers(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "the state of this member differs from the other members'; it stops serving and is rebuilt from the leader")]
    public static partial void Diverged(ILogger logger, string member, ulong index);

    [LoggerMessage(Level = LogLevel.Error, Message = "the state of a member differs from the other members'; it is being rebuilt")]
    public static partial void PeerDiverged(ILogger logger, string member, ulong index);

    [LoggerMessage(Level = LogLevel.Information, Message = "the state of a member that differed agrees with the other members' again")]
    public static partial void MemberConverged(ILogger logger, string member, ulong index);

    [LoggerMessage(Level = LogLevel.Information, Message = "compared what members hold")]
    public static partial void ContentCompared(ILogger logger, long revision, int members, int diverged);

    [LoggerMessage(Level = LogLevel.Critical, Message = "the member cannot go on")]
    public static partial void Fatal(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "forced a new cluster of this member alone: all others were removed; take --force-new-cluster away again")]
    public static partial void ClusterForced(ILogger logger, string member, int changes);
}
