using System.Diagnostics;
using LocalCluster;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>Where two servers first differ in a sequence.</summary>
/// <param name="Steps">The sequence up to and including the step that showed it.</param>
sealed record Difference(IReadOnlyList<Step> Steps, string Expected, string Found)
{
    const int ShownLength = 600;
    const string NobodysWatch = "Unknown: rpc error: code = InvalidArgument desc = etcdserver: user name is empty";

    /// <summary>
    /// Whether etcd left its answer to chance.
    /// 1. An Observe begins while authentication is off. In etcd it is a watch inside the member, and so is every wait in line; they share one stream, which keeps the
    ///    login of whoever opened it, here nobody's;
    /// 2. the Observe ends, and the stream some time after it;
    /// 3. authentication is turned on, and carol, who may, gets into line. If the stream still lives, her wait goes onto it and is refused as nobody's.
    /// </summary>
    public bool IsChance => Steps[^1] is Step.Acquire { As: not null } && Expected.EndsWith(NobodysWatch, StringComparison.Ordinal);

    public override string ToString() =>
        $"{string.Join('\n', Steps.SkipLast(1).Select((step, n) => $"{n,4} {Short($"{step}")}"))}\n{Steps.Count - 1,4} {Steps[^1]}\n\nexpected (reference):\n{Expected}\nfound:\n{Found}";

    static string Short(string text) => text.Length <= ShownLength ? text : $"{text[..ShownLength]}...";
}

/// <summary>One sequence on two fresh clusters in lock step. Both begin empty, so revisions must be equal throughout.</summary>
sealed class DifferentialRun : IAsyncDisposable
{
    const int StepsBetweenLooks = 25;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan FutureDelay = TimeSpan.FromMilliseconds(150);

    readonly LoopbackCluster referenceCluster;
    readonly LoopbackCluster otherCluster;
    readonly Subject reference;
    readonly Subject other;
    readonly List<Step> taken = [];
    readonly bool[] catchingUp = new bool[Subject.Streams];

    DifferentialRun(LoopbackCluster referenceCluster, LoopbackCluster otherCluster, Func<Step, string, string>? tamper)
    {
        (this.referenceCluster, this.otherCluster) = (referenceCluster, otherCluster);
        reference = new Subject(referenceCluster[0]);
        other = new Subject(otherCluster[0], tamper);
    }

    public Knowledge Knowledge { get; } = new();

    /// <summary>Answers that were not errors.</summary>
    public int Granted { get; private set; }

    public static async Task<DifferentialRun> StartAsync(
        Product product, int members, CancellationToken cancellationToken, Func<Step, string, string>? tamper = null)
    {
        var referenceCluster = await LoopbackCluster.StartAsync(Product.Etcd, members, cancellationToken, Memory, Flags);
        try
        {
            return new DifferentialRun(referenceCluster, await LoopbackCluster.StartAsync(product, members, cancellationToken, Memory, Flags), tamper);
        }
        catch
        {
            await referenceCluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A folder without a disk, where there is one.</summary>
    static string? Memory => Directory.Exists("/dev/shm") ? "/dev/shm" : null;

    /// <summary>What is compared is answers: disks and the cost of a password do not matter, and no login may run out.</summary>
    static readonly string[] Flags = ["--unsafe-no-fsync", "--bcrypt-cost", "4", "--auth-token-ttl", "3600"];

    /// <summary>Takes one step on both.</summary>
    /// <exception cref="InvalidOperationException">A server ended.</exception>
    public Task<Difference?> TakeAsync(Step step) => WithLogsAsync(() => CompareAsync(step));

    /// <summary>Waits until everything that is due has arrived, then compares what every watch was told.</summary>
    public Task<Difference?> FinishAsync() => WithLogsAsync(CompareStreamsAsync);

    async Task<Difference?> WithLogsAsync(Func<Task<Difference?>> compare)
    {
        Exception? broken = null;
        try
        {
            var difference = await compare();
            if (referenceCluster[0].IsRunning && otherCluster[0].IsRunning)
                return difference;
        }
        catch (Exception e) when (e is Grpc.Core.RpcException or InvalidOperationException)
        {
            broken = e;
        }
        throw new InvalidOperationException(
            $"A server or its connection broke: {broken?.Message}\nafter:\n{string.Join('\n', taken.TakeLast(5))}\n{referenceCluster.Logs()}\n{otherCluster.Logs()}", broken);
    }

    async Task<Difference?> CompareAsync(Step step)
    {
        taken.Add(step);
        foreach (var stream in Enumerable.Range(0, Subject.Streams).Where(stream => IsLookDue(stream, step)))
        {
            if (await CompareStreamAsync(stream, step is Step.WatchReset or Step.WatchCancel || (catchingUp[stream] && IsCompaction(step))) is { } behind)
                return behind;
        }
        var answers = await Task.WhenAll(reference.TakeAsync(step), other.TakeAsync(step));
        if (!answers[0].SameAs(answers[1]))
            return new Difference([.. taken], answers[0].Text, answers[1].Text);
        if (step is Step.WatchCreate { Request.StartRevision: > 0 } create && create.Request.StartRevision <= Knowledge.Revision)
            catchingUp[create.Stream] = true;
        Knowledge.Learn(step, answers[0]);
        Granted += answers[0].Response is null ? 0 : 1;
        return null;
    }

    static bool IsCompaction(Step step) => step is Step.Unary { Request: CompactionRequest } or Step.Snapshot;

    /// <summary>Compaction and cancelling race with events on their way; time must not decide what a watcher still sees.</summary>
    bool IsLookDue(int stream, Step step) => step switch
    {
        Step.WatchCancel cancel => cancel.Stream == stream,
        Step.WatchProgress progress => progress.Stream == stream,
        Step.WatchReset => true,
        _ when IsCompaction(step) => true,
        _ => (taken.Count + (stream * StepsBetweenLooks / Subject.Streams)) % StepsBetweenLooks == 0,
    };

    async Task<Difference?> CompareStreamsAsync()
    {
        for (var stream = 0; stream < Subject.Streams; stream++)
        {
            if (await CompareStreamAsync(stream, last: true) is { } behind)
                return behind;
        }
        return null;
    }

    /// <param name="last">Time must not decide any more what comes: the step ends watches, or compacts what they may still have to read.</param>
    async Task<Difference?> CompareStreamAsync(int stream, bool last)
    {
        if (!reference.HasStream(stream))
            return null;
        // Nothing tells that a stream with a watch of the future has said everything. etcd looks after watches that are behind ten times a second.
        var future = Knowledge.FutureOf(stream) > Knowledge.Revision;
        if (!future && Knowledge.LiveWatches(stream).Count > 0)
        {
            var settled = await Task.WhenAll(reference.SettleAsync(stream, Knowledge.Revision), other.SettleAsync(stream, Knowledge.Revision));
            // Neither: a sequence cut down by hand or by the shrinker watches the future here, and progress has nothing to say about that.
            if (settled[0] != settled[1])
                return new Difference([.. taken], Progress(stream, settled[0]), Progress(stream, settled[1]));
        }
        if (future && last)
            await Task.Delay(FutureDelay);
        catchingUp[stream] &= future && !last;
        return await DifferInTimeAsync(stream) ? new Difference([.. taken], reference.Transcript(stream), other.Transcript(stream)) : null;
    }

    public async ValueTask DisposeAsync()
    {
        await reference.DisposeAsync();
        await other.DisposeAsync();
        await referenceCluster.DisposeAsync();
        await otherCluster.DisposeAsync();
    }

    string Progress(int stream, bool settled) => $"stream {stream}: progress to {Knowledge.Revision} {(settled ? "reported" : "never reported")}";

    async Task<bool> DifferInTimeAsync(int stream)
    {
        var started = Stopwatch.GetTimestamp();
        while (!string.Equals(reference.Transcript(stream), other.Transcript(stream), StringComparison.Ordinal))
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
                return true;
            await Task.Delay(2);
        }
        return false;
    }
}
