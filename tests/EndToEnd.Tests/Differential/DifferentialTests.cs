using System.Globalization;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Random request sequences on etcd and on the store in lock step; answers, errors and event streams must be the same.
/// DIFFERENTIAL_REQUESTS sets how many, DIFFERENTIAL_SEED the first sequence's seed.
/// </summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    const int StepsInOneSequence = 500;

    static readonly int Requests = Setting("DIFFERENTIAL_REQUESTS", 3000);
    static readonly int FirstSeed = Setting("DIFFERENTIAL_SEED", 1);

    [Fact]
    public Task The_store_answers_random_requests_as_etcd_does() => CompareAsync(Product.Store, members: 1, FirstSeed, Requests);

    [Fact]
    public Task Three_members_answer_random_requests_as_three_of_etcd_do() => CompareAsync(Product.Store, members: 3, FirstSeed + 100_000, Math.Max(300, Requests / 5));

    /// <summary>If etcd differed from itself, the generator would be asking what time decides.</summary>
    [Fact]
    public Task Etcd_shows_no_difference_from_itself() => CompareAsync(Product.Etcd, members: 1, FirstSeed, Math.Min(Requests, 1000));

    [Fact]
    public async Task A_changed_answer_is_found_and_cut_down_to_few_steps()
    {
        // As if deletes forgot to bring back what they deleted.
        static string Forget(Step step, string answer) => answer.Replace("prev_kvs", "forgotten", StringComparison.Ordinal);
        var found = await SequenceAsync(Product.Etcd, 1, seed: 1, StepsInOneSequence, Forget);
        Assert.NotNull(found);
        var small = await Shrinker.ShrinkAsync(found, Product.Etcd, 1, TestContext.Current.CancellationToken, Forget);
        Assert.Contains("forgotten", small.Found, StringComparison.Ordinal);
        Assert.True(small.Steps.Count <= 4, small.ToString());
    }

    async Task CompareAsync(Product product, int members, int seed, int requests)
    {
        for (var done = 0; done < requests; done += StepsInOneSequence, seed++)
        {
            var count = Math.Min(StepsInOneSequence, requests - done);
            if (await SequenceAsync(product, members, seed, count) is not { } difference)
                continue;
            output.WriteLine(
                $"{product} differs from etcd, seed {seed}, after {difference.Steps.Count} steps, at {difference.Steps[^1]}\n"
                + $"expected:\n{difference.Expected}\nfound:\n{difference.Found}\nCutting the sequence down...");
            var small = await Shrinker.ShrinkAsync(difference, product, members, TestContext.Current.CancellationToken);
            Assert.Fail(
                $"{product} differs from etcd, seed {seed}. Replay: DIFFERENTIAL_SEED={(members == 3 ? seed - 100_000 : seed)} dotnet run --project tests/EndToEnd.Tests -- "
                + $"-class '*DifferentialTests'\n{small}");
        }
        output.WriteLine($"{requests} requests on {members} member(s), no difference.");
    }

    async Task<Difference?> SequenceAsync(Product product, int members, int seed, int count, Func<Step, string, string>? tamper = null)
    {
        await using var run = await DifferentialRun.StartAsync(product, members, TestContext.Current.CancellationToken, tamper);
        var generator = new RequestGenerator(seed);
        for (var n = 0; n < count; n++)
        {
            if (await run.TakeAsync(generator.Next(run.Knowledge)) is { } difference)
                return difference;
        }
        output.WriteLine($"seed {seed}: {count} requests, {run.Granted} of them granted, revision {run.Knowledge.Revision}");
        return await run.FinishAsync();
    }

    static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
