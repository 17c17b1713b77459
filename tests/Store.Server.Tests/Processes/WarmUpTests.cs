using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Store.Server.Tests;

public class WarmUpTests
{
    /// <summary>It would stay closed to clients, and what ends an HTTP request in the end looks like being told to stop.</summary>
    [Fact]
    public async Task A_member_that_does_not_answer_itself_goes_on_without()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var asked = new WarmUp((IPEndPoint)silent.LocalEndpoint, TimeSpan.FromMilliseconds(100)).RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await asked.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Being_told_to_stop_ends_it()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var stopping = new CancellationTokenSource();
        var asked = new WarmUp((IPEndPoint)silent.LocalEndpoint, TimeSpan.FromMinutes(10)).RunAsync(stopping.Token);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }
}
