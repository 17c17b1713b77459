using System.Diagnostics;
using Xunit;

namespace Operator.Tests;

static class Eventually
{
    /// <summary>Looks every few milliseconds, for 30 seconds at most: what is awaited runs on other threads.</summary>
    public static async Task True(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), "it did not come true within 30 s");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
