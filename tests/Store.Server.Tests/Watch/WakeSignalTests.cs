using Xunit;

namespace Store.Server.Tests;

public sealed class WakeSignalTests
{
    [Fact]
    public async Task A_set_before_the_wait_is_remembered_once()
    {
        var signal = new WakeSignal();
        signal.Set();
        signal.Set();
        await signal.WaitAsync();
        var waiting = signal.WaitAsync();
        Assert.False(waiting.IsCompleted);
        signal.Set();
        await waiting;
    }

    [Fact]
    public async Task No_set_is_lost_between_two_threads()
    {
        var signal = new WakeSignal();
        var (written, seen) = (0, 0);
        const int Last = 200_000;
        var writer = Task.Run(
            () =>
            {
                for (var i = 1; i <= Last; i++)
                {
                    Volatile.Write(ref written, i);
                    signal.Set();
                }
            },
            TestContext.Current.CancellationToken);
        while (seen < Last)
        {
            await signal.WaitAsync();
            seen = Volatile.Read(ref written);
        }
        await writer;
    }
}
