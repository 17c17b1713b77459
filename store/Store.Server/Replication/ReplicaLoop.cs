using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// The one thread that drives the <see cref="Replica"/>: feeds it inputs from a bounded queue and carries out its effects (log, peers, replies,
/// watchers). Everything that serves clients talks to the replica through here.
/// <para>
/// A turn: take all that queued, feed it, then carry out effects until there are none. It never waits for a disk or a socket: those have threads of
/// their own, and their answers come back as inputs.
/// </para>
/// </summary>
public sealed partial class ReplicaLoop : IDisposable
{
    /// <summary>Rows that compaction deletes in one slice while the loop has nothing else to do, and while it has.</summary>
    const int IdleCompactionRows = 1_000;
    const int BusyCompactionRows = 100;
    /// <summary>etcd's --warning-apply-duration.</summary>
    static readonly TimeSpan SlowApply = TimeSpan.FromMilliseconds(100);
    /// <summary>etcd measures each request; here a batch is one apply.</summary>
    static readonly TagList ApplyTags = new() { { "version", "v3" }, { "op", "Batch" }, { "success", "true" } };

    readonly Replica replica;
    readonly LogWriter writer;
    readonly PeerNetwork network;
    readonly LoopOptions options;
    readonly TimeProvider time;
    readonly ILogger logger;
    readonly LoopInbox inbox;
    readonly TickSource ticks;
    readonly Thread thread;
    readonly Dictionary<ulong, TaskCompletionSource<Reply>> answers = [];
    readonly Dictionary<ulong, TaskCompletionSource<StoreError>> reads = [];
    ulong lastRequestId;
    ulong lastReadId;
    volatile StateView view;
    volatile RaftStatus status;
    NodeId knownLeader;
    bool restoring;
    bool compactionLeft = true;
    volatile bool stopping;

    internal ReplicaLoop(Replica replica, LogWriter writer, PeerNetwork network, LoopOptions options, TimeProvider time, ILogger logger)
    {
        (this.replica, this.writer, this.network, this.options, this.time, this.logger) = (replica, writer, network, options, time, logger);
        inbox = new(options.QueuedRequestsMax);
        ticks = new(time, options.TickInterval);
        view = replica.State.View;
        status = replica.Status;
        lastRequestId = FirstRequestId(status.Id, time.GetUtcNow());
        thread = new(Run) { Name = "replica", IsBackground = true };
    }

    /// <summary>The newest published state; for serializable reads, and after <see cref="ReadIndexAsync"/> for linearizable ones.</summary>
    public StateView View => view;

    /// <summary>How consensus stands, refreshed after each turn.</summary>
    public RaftStatus Status => status;

    /// <summary>Called on the loop's thread after each new view was published, with that view. Must return at once.</summary>
    public event Action<StateView>? Published;

    /// <summary>Called on the loop's thread when another member leads, or none (<see cref="RaftStatus.Leader"/> is then zero). Must return at once.</summary>
    public event Action<RaftStatus>? LeadershipChanged;

    /// <summary>Called on the loop's thread before the view with the login is published: whoever finds its index applied finds the token, too. Must return at once.</summary>
    public event Action<GrantedToken>? TokenGranted;

    /// <summary>Set before <see cref="Start"/>: what the loop cannot do itself.</summary>
    internal Action<NodeId> SendSnapshot { get; set; } = _ => { };

    internal Action<SnapshotMetadata> InstallSnapshot { get; set; } = _ => { };

    internal Action<StateView> Applied { get; set; } = _ => { };

    internal Action Removed { get; set; } = () => { };

    internal Action<Exception> Failed { get; set; } = _ => { };

    internal void Start() => thread.Start();

    /// <summary>Proposes the command under a fresh request id and waits until it is applied here. Never throws for expected outcomes.</summary>
    /// <param name="cancellationToken">Looked at before the command is queued; afterwards its fate is not the caller's to change, and the time it takes is bounded.</param>
    public Task<Reply> ProposeAsync(Command command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = NextRequestId();
        command.RequestId = id;
        replica.State.Seal(command, new(Random.Shared.NextInt64(1, long.MaxValue)));
        // Encoded here, on the caller's thread: the loop's time is what bounds throughput.
        var size = command.CalculateSize();
        if (size > options.RequestBytesMax) return Task.FromResult(new Reply(id, StoreError.RequestTooLarge, null));
        var bytes = EntryMemory.Take(size);
        command.WriteTo(bytes.Span);
        return ProposeAsync(id, bytes);
    }

    /// <summary>The same for an encoded PutRequest that <see cref="PutFields.TryRead"/> has read: it goes into the log as it came.</summary>
    public Task<Reply> ProposePutAsync(ReadOnlySpan<byte> request)
    {
        var id = NextRequestId();
        var quotaBytes = replica.State.SealedQuotaBytes;
        var size = PutCommand.Size(id, quotaBytes, request.Length);
        if (size > options.RequestBytesMax) return Task.FromResult(new Reply(id, StoreError.RequestTooLarge, null));
        var bytes = EntryMemory.Take(size);
        PutCommand.Write(bytes.Span, id, quotaBytes, request);
        return ProposeAsync(id, bytes);
    }

    Task<Reply> ProposeAsync(ulong id, ReadOnlyMemory<byte> command)
    {
        var answer = NewAnswer<Reply>();
        if (!inbox.TryPropose(id, command, answer)) return Task.FromResult(new Reply(id, stopping ? StoreError.Stopped : StoreError.TooManyRequests, null));
        return answer.Task;
    }

    /// <summary>Completes with None when <see cref="View"/> is at least as new as every write acknowledged before the call. Waiting reads share rounds.</summary>
    public ValueTask<StoreError> ReadIndexAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(inbox.Read());
    }

    /// <summary>Checked and proposed by the leader, wherever it is; the answer comes when the change is applied there, and <see cref="View"/> shows it here.</summary>
    public async Task<Reply> ChangeMembershipAsync(ConfigChangeKind kind, MemberChange change, CancellationToken cancellationToken)
    {
        change.RequestId = NextRequestId();
        var started = time.GetTimestamp();
        while (true)
        {
            var answer = await ChangeHereAsync(kind, change, cancellationToken);
            if (answer.Error == StoreError.NotLeader) answer = await ChangeAtLeaderAsync(kind, change, cancellationToken);
            // Nothing was proposed: the leader has changed, perhaps because it is the one to be removed.
            if (answer.Error != StoreError.NotLeader || time.GetElapsedTime(started) > options.RequestTimeout) return answer;
            await Task.Delay(LeaderRetryPause, time, cancellationToken);
        }
    }

    /// <summary>Only at a leader; elsewhere NotLeader, as etcd has it.</summary>
    public async Task<StoreError> TransferLeadershipAsync(NodeId target, CancellationToken cancellationToken)
    {
        var id = NextRequestId();
        var answer = NewAnswer<Reply>();
        var posted = inbox.Post(replica =>
        {
            answers.Add(id, answer);
            replica.TransferLeadership(id, target);
        });
        return posted ? (await answer.Task.WaitAsync(cancellationToken)).Error : StoreError.Stopped;
    }

    /// <summary>Runs on the loop's thread between turns; for rare questions only.</summary>
    public Task<T> AskAsync<T>(Func<Replica, T> question)
    {
        var answer = NewAnswer<T>();
        var posted = inbox.Post(replica =>
        {
            try
            {
                answer.SetResult(question(replica));
            }
            catch (Exception e)
            {
                answer.SetException(e);
                throw;
            }
        });
        if (!posted) answer.SetException(new OperationCanceledException("the member has stopped"));
        return answer.Task;
    }

    internal void Receive(IReadOnlyList<Message> messages) => inbox.Receive(messages);

    internal void Persisted(ulong sequence) => inbox.Persisted(sequence);

    internal bool Post(Action<Replica> action) => inbox.Post(action);

    /// <summary>The engine's content was replaced; from here on the replica works on this state.</summary>
    internal void Restored(StateMachine state) => inbox.Post(replica =>
    {
        restoring = false;
        replica.Restored(state);
    });

    /// <summary>Ends the thread; whoever still waits hears that the member has stopped.</summary>
    public void Dispose()
    {
        stopping = true;
        inbox.Post(_ => { });
        if (thread.IsAlive && Environment.CurrentManagedThreadId != thread.ManagedThreadId) thread.Join();
        FailWaiting();
    }

    void Run()
    {
        try
        {
            while (!stopping) Turn();
        }
        catch (Exception e)
        {
            Failed(e);
        }
    }

    void Turn()
    {
        var idle = compactionLeft ? TimeSpan.Zero : ticks.UntilNext;
        // A leader opens the next round of reads when the one under way is answered: until that message, or the next tick, there is nothing to do for a read.
        var batch = inbox.Take(idle, holdsReads: reads.Count > 0 && replica.IsLeader);
        var busy = !batch.IsEmpty;
        Feed(batch);
        GiveTicks();
        while (replica.HasEffects)
        {
            var started = time.GetTimestamp();
            var effects = replica.TakeEffects();
            if (effects.Published is not null) Measure(time.GetElapsedTime(started));
            Carry(effects);
        }
        status = replica.Status;
        if (status.Leader != knownLeader) TellLeadership();
        if (compactionLeft && !restoring) compactionLeft = replica.State.CompactSome(busy ? BusyCompactionRows : IdleCompactionRows);
    }

    void Feed(LoopInbox.Batch batch)
    {
        if (batch.PersistedSequence != 0) replica.Persisted(batch.PersistedSequence);
        foreach (var message in batch.Messages) replica.Receive(message);
        foreach (var (id, command, answer) in batch.Proposals)
        {
            answers.Add(id, answer);
            replica.Propose(id, command);
        }
        foreach (var action in batch.Actions) action(replica);
        if (batch.Renewals.Count > 0) AskToRenew(batch.Renewals);
        if (batch.Read is { } read) AskToRead(read);
    }

    void AskToRead(TaskCompletionSource<StoreError> read)
    {
        reads.Add(++lastReadId, read);
        replica.Read(lastReadId);
    }

    void GiveTicks()
    {
        var due = ticks.Take(out var skipped);
        for (var i = 0; i < due; i++) replica.Tick();
        if (due == 0) return;
        StoreMetrics.SlowReadIndexes.Set(replica.ReadIndexRetries);
        StoreMetrics.LeasesExpired.Set(replica.LeasesExpired);
        if (skipped > TimeSpan.Zero && replica.IsLeader) StoreMetrics.HeartbeatSendFailures.Add();
        if (skipped > options.TickInterval * 10) Log.LoopStalled(logger, (long)skipped.TotalMilliseconds);
    }

    /// <summary>A turn in which something was applied is taken for the apply: the rest of it only moves what is in memory.</summary>
    static void Measure(TimeSpan apply)
    {
        StoreMetrics.ApplySeconds.Record(apply.TotalSeconds, ApplyTags);
        if (apply > SlowApply) StoreMetrics.SlowApplies.Add();
    }

    /// <summary>Others first, then the own disk, then those who wait: what takes longest starts earliest.</summary>
    void Carry(Effects effects)
    {
        if (effects.Send.Count > 0) network.Send(effects.Send);
        if (effects.Persist is { } request) writer.Persist(request);
        foreach (var token in effects.Tokens) TokenGranted?.Invoke(token);
        if (effects.Published is { } published) Publish(published);
        Answer(effects.Replies);
        Answer(effects.Reads);
        foreach (var id in effects.SnapshotsNeeded) SendSnapshot(id);
        if (effects.Restore is { } snapshot)
        {
            restoring = true;
            InstallSnapshot(snapshot);
        }
        if (effects.CutLog is { } upTo) writer.Cut(upTo);
        if (effects.Removed) Removed();
    }

    void Publish(StateView published)
    {
        view = published;
        compactionLeft = true;
        network.Follow(published.Cluster);
        FollowVerdicts(published);
        Applied(published);
        Published?.Invoke(published);
        RetryRenewals();
    }

    void Answer(IReadOnlyList<Reply> replies)
    {
        for (var i = 0; i < replies.Count; i++)
        {
            if (replies[i].Error is StoreError.Timeout or StoreError.TimeoutDueToLeaderFail or StoreError.TimeoutDueToConnectionLost or StoreError.NoLeader)
            {
                StoreMetrics.ProposalsFailed.Add();
            }
            if (answers.Remove(replies[i].RequestId, out var answer)) answer.TrySetResult(replies[i]);
        }
        StoreMetrics.ProposalsPending.Set(replica.PendingCount);
    }

    void Answer(IReadOnlyList<ReadReply> replies)
    {
        for (var i = 0; i < replies.Count; i++)
        {
            if (replies[i].Error != StoreError.None) StoreMetrics.ReadIndexesFailed.Add();
            if (reads.Remove(replies[i].ReadId, out var read)) read.TrySetResult(replies[i].Error);
            else AnswerRenewals(replies[i]);
        }
    }

    void TellLeadership()
    {
        knownLeader = status.Leader;
        if (!knownLeader.IsNone) StoreMetrics.LeaderChanges.Add();
        Log.LeaderChanged(logger, knownLeader.ToString(), status.Term.Value);
        LeadershipChanged?.Invoke(status);
        RetryRenewals();
    }

    void FailWaiting()
    {
        var rest = inbox.Stop();
        // Questions asked too late for a turn are still answered; nobody else touches the replica any more.
        foreach (var action in rest.Actions) action(replica);
        foreach (var (id, _, answer) in rest.Proposals) answer.TrySetResult(new(id, StoreError.Stopped, null));
        foreach (var (id, answer) in answers) answer.TrySetResult(new(id, StoreError.Stopped, null));
        rest.Read?.TrySetResult(StoreError.Stopped);
        foreach (var read in reads.Values) read.TrySetResult(StoreError.Stopped);
        FailRenewals(rest.Renewals);
    }

    ulong NextRequestId() => Interlocked.Increment(ref lastRequestId);

    /// <summary>Sixteen bits of the member, forty of the time in milliseconds, eight to count on: no id of this member's earlier lives, nor of another's.</summary>
    static ulong FirstRequestId(NodeId id, DateTimeOffset now) =>
        (id.Value << 48) | (((ulong)now.ToUnixTimeMilliseconds() & 0xff_ffff_ffff) << 8);

    /// <summary>Callers never run on the loop's thread.</summary>
    static TaskCompletionSource<T> NewAnswer<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <param name="TickInterval">The heartbeat interval.</param>
/// <param name="RequestTimeout">The longest a question to another member may take.</param>
sealed record LoopOptions(TimeSpan TickInterval, TimeSpan RequestTimeout, int RequestBytesMax)
{
    public int QueuedRequestsMax { get; init; } = 10_000;
}
