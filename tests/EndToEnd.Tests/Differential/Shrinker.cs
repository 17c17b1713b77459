using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>Cuts a sequence that shows a difference down to few steps, each try on two fresh clusters.</summary>
static class Shrinker
{
    public static async Task<Difference> ShrinkAsync(
        Difference difference, Product product, int members, int triesMax, CancellationToken cancellationToken, Func<Step, string, string>? tamper = null)
    {
        var tries = 0;
        for (var piece = difference.Steps.Count / 2; piece >= 1 && tries < triesMax; piece /= 2)
        {
            // The last step shows the difference and stays.
            for (var start = 0; start < difference.Steps.Count - 1 && tries < triesMax; tries++)
            {
                var count = Math.Min(piece, difference.Steps.Count - 1 - start);
                var shorter = difference.Steps.Take(start).Concat(difference.Steps.Skip(start + count)).ToArray();
                // Not another difference, of which the shorter sequence knows nothing any more: an administrator that was never made, say.
                if (await ReplayAsync(shorter, product, members, tamper, cancellationToken) is { } still && still.Steps[^1] == difference.Steps[^1])
                    difference = still;
                else
                    start += count;
            }
        }
        return difference;
    }

    static async Task<Difference?> ReplayAsync(
        IReadOnlyList<Step> steps, Product product, int members, Func<Step, string, string>? tamper, CancellationToken cancellationToken)
    {
        await using var run = await DifferentialRun.StartAsync(product, members, cancellationToken, tamper);
        foreach (var step in steps)
        {
            if (await run.TakeAsync(step) is { } difference)
                return difference;
        }
        return await run.FinishAsync();
    }
}
