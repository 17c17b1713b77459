using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Store.State;

namespace Store.Server;

/// <summary>What all long streams have in common: who may open one, and what ends it besides its client.</summary>
sealed class ClientStream : IDisposable
{
    readonly ServerCallContext context;
    readonly CancellationToken stopping;
    readonly CancellationToken leaderLost;
    readonly CancellationToken distrusted;
    readonly CancellationTokenSource ended;

    ClientStream(ServerCallContext context, CancellationToken stopping, CancellationToken leaderLost, CancellationToken distrusted)
    {
        this.context = context;
        this.stopping = stopping;
        this.leaderLost = leaderLost;
        this.distrusted = distrusted;
        ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping, leaderLost, distrusted);
    }

    /// <summary>A client that asks for a leader ("hasleader") is refused without one; a learner serves no streams but snapshots (contract 1.6), and none comes from a member whose state is wrong.</summary>
    public static ClientStream Open(
        ServerCallContext context, ReplicaLoop loop, LeaderLoss leaderLoss, IHostApplicationLifetime lifetime, bool servedByLearners = false)
    {
        if (!ClientApiVersion.IsValid(context.GetHttpContext().Request.Headers)) throw StatusMapping.ToException(StoreError.InvalidClientApiVersion);
        if (loop.IsLearner && !servedByLearners) throw StatusMapping.ToException(StoreError.NotSupportedForLearner);
        var needsLeader = context.RequestHeaders.Any(entry => entry is { IsBinary: false, Key: "hasleader", Value: "true" });
        if (needsLeader && !leaderLoss.HasLeader) throw StatusMapping.ToException(StoreError.NoLeader);
        // The token first: a verdict that comes between is then noticed by one or the other.
        var distrusted = loop.Distrusted;
        if (loop.HasDiverged) throw StatusMapping.ToException(StoreError.CorruptCluster);
        return new(context, lifetime.ApplicationStopping, needsLeader ? leaderLoss.Lost : CancellationToken.None, distrusted);
    }

    public CancellationToken Ended => ended.Token;

    public Task EndAsync() => ended.CancelAsync();

    /// <summary>Null when nothing but the handler itself has ended the stream.</summary>
    public StoreError? WhyEnded =>
        context.CancellationToken.IsCancellationRequested ? StoreError.WatchCanceled
        : stopping.IsCancellationRequested ? StoreError.Stopped
        : distrusted.IsCancellationRequested ? StoreError.CorruptCluster
        : leaderLost.IsCancellationRequested ? StoreError.NoLeader
        : null;

    public void Dispose() => ended.Dispose();
}
