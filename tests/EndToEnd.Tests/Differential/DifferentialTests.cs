using System.Collections.Concurrent;
using System.Globalization;
using LocalCluster;
using Store.Protocol.V3lockpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Random request sequences on etcd and on the store in lock step; answers, errors and event streams must be the same.
/// In every third sequence authentication is on, most of the time. DIFFERENTIAL_REQUESTS sets how many, DIFFERENTIAL_SEED the first sequence's seed,
/// DIFFERENTIAL_TRIES how often a difference is cut down.
/// </summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    const int StepsInOneSequence = 500;
    const int StepsOnOneCluster = 10_000;

    /// <summary>Most of the time a pair of clusters waits for a disk, a timer or its watchers.</summary>
    const int LanesMax = 10;

    static readonly int Requests = Setting("DIFFERENTIAL_REQUESTS", 100_000);
    static readonly int Tries = Setting("DIFFERENTIAL_TRIES", 40);
    static readonly int FirstSeed = Setting("DIFFERENTIAL_SEED", 1);

    [Fact]
    public Task The_store_answers_random_requests_as_etcd_does() => CompareAsync(Product.Store, members: 1, FirstSeed, Requests);

    [Fact]
    public Task Three_members_answer_random_requests_as_three_of_etcd_do() => CompareAsync(Product.Store, members: 3, FirstSeed + 100_000, Math.Clamp(Requests / 5, 300, 1_000));

    /// <summary>If etcd differed from itself, the generator would be asking what time decides.</summary>
    [Fact]
    public Task Etcd_shows_no_difference_from_itself() => CompareAsync(Product.Etcd, members: 1, FirstSeed, Math.Min(Requests, 1000));

    [Theory]
    [InlineData("carol", "Unknown: rpc error: code = InvalidArgument desc = etcdserver: user name is empty", true)]
    [InlineData(null, "Unknown: rpc error: code = InvalidArgument desc = etcdserver: user name is empty", false)]
    [InlineData("carol", "PermissionDenied: etcdserver: permission denied", false)]
    public void Only_a_wait_that_etcd_takes_for_nobodys_is_asked_again(string? user, string expected, bool chance) =>
        Assert.Equal(chance, new Difference([new Step.Acquire(new LockRequest()) { As = user }], expected, "{key: \"lock/12f\"}").IsChance);

    [Fact]
    public async Task A_changed_answer_is_found_and_cut_down_to_few_steps()
    {
        // As if deletes forgot to bring back what they deleted.
        static string Forget(Step step, string answer) => answer.Replace("prev_kvs", "forgotten", StringComparison.Ordinal);
        var found = await SequenceAsync(Product.Etcd, 1, seed: 1, StepsInOneSequence, Forget);
        Assert.NotNull(found);
        var small = await Shrinker.ShrinkAsync(found, Product.Etcd, 1, Tries, TestContext.Current.CancellationToken, Forget);
        Assert.Contains("forgotten", small.Found, StringComparison.Ordinal);
        Assert.True(small.Steps.Count <= 4, small.ToString());
    }

    /// <summary>Several pairs of clusters side by side, each for some thousand requests. The first difference ends it.</summary>
    async Task CompareAsync(Product product, int members, int seed, int requests)
    {
        var runs = Enumerable.Range(0, (requests + StepsOnOneCluster - 1) / StepsOnOneCluster)
            .Select(n => (Seed: seed + n, Count: Math.Min(StepsOnOneCluster, requests - (n * StepsOnOneCluster))));
        var found = new ConcurrentQueue<(int Seed, Difference Difference)>();
        var lanes = new ParallelOptions { MaxDegreeOfParallelism = members == 1 ? LanesMax : 1, CancellationToken = TestContext.Current.CancellationToken };
        await Parallel.ForEachAsync(runs, lanes, async (run, _) =>
        {
            if (!found.IsEmpty) return;
            var difference = await SequenceAsync(product, members, run.Seed, run.Count);
            if (difference is { IsChance: true })
            {
                output.WriteLine($"seed {run.Seed}: etcd left to chance {difference.Steps[^1]}; all of it is asked once more");
                difference = await SequenceAsync(product, members, run.Seed, run.Count);
            }
            if (difference is not null) found.Enqueue((run.Seed, difference));
        });
        if (found.TryDequeue(out var first))
            await FailAsync(product, members, first.Seed, first.Difference);
        output.WriteLine($"{requests} requests on {members} member(s), no difference.");
    }

    async Task FailAsync(Product product, int members, int seed, Difference difference)
    {
        output.WriteLine(
            $"{product} differs from etcd, seed {seed}, after {difference.Steps.Count} steps, at {difference.Steps[^1]}\n"
            + $"expected:\n{difference.Expected}\nfound:\n{difference.Found}\nCutting the sequence down...");
        var small = Tries == 0 ? difference : await Shrinker.ShrinkAsync(difference, product, members, Tries, TestContext.Current.CancellationToken);
        Assert.Fail(
            $"{product} differs from etcd, seed {seed}. Replay: DIFFERENTIAL_REQUESTS={StepsOnOneCluster} DIFFERENTIAL_SEED={(members == 3 ? seed - 100_000 : seed)} "
            + $"dotnet run --project tests/EndToEnd.Tests -- -class '*DifferentialTests'\n{small}");
    }

    /// <summary>
    /// Sequence after sequence on one pair of clusters, each with a seed and with watch streams of its own; what must not outlive a sequence is taken back at its end.
    /// The first seed says whether keys are many or few: every third run has many.
    /// </summary>
    async Task<Difference?> SequenceAsync(Product product, int members, int seed, int count, Func<Step, string, string>? tamper = null)
    {
        await using var run = await DifferentialRun.StartAsync(product, members, TestContext.Current.CancellationToken, tamper);
        for (var done = 0; done < count; done += StepsInOneSequence)
        {
            var number = done / StepsInOneSequence;
            var generator = new RequestGenerator((seed * 1_000) + number, wide: seed % 3 == 2, guarded: number % 3 == 1);
            for (var n = 0; n < Math.Min(StepsInOneSequence, count - done); n++)
            {
                if (await run.TakeAsync(generator.Next(run.Knowledge)) is { } difference)
                    return difference;
            }
            foreach (var last in RequestGenerator.Last(run.Knowledge))
            {
                if (await run.TakeAsync(last) is { } difference)
                    return difference;
            }
        }
        output.WriteLine($"seed {seed}: {count} requests, {run.Granted} of them granted, revision {run.Knowledge.Revision}");
        return await run.FinishAsync();
    }

    static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
