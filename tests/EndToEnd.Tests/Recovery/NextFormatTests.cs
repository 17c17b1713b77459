using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;
using DowngradeAction = Store.Protocol.Etcdserverpb.DowngradeRequest.Types.DowngradeAction;

namespace EndToEnd.Tests;

/// <summary>Two builds, of which one carries the next format of the state on disk: members are rolled from one to the other and back while clients write.</summary>
public sealed class NextFormatTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_roll_to_the_next_format_and_back_until_all_have_agreed_to_it()
    {
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, Token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = WriteAsync(cluster, enough.Token);
        await VersionAsync(cluster, "3.7.0");

        // Two of three go forward, and both go back: the old format was written all the time.
        await RollAsync(cluster[0], Binaries.NextStore);
        await RollAsync(cluster[1], Binaries.NextStore);
        await VersionAsync(cluster, "3.7.0");
        await RollAsync(cluster[0], Binaries.Store);
        await RollAsync(cluster[1], Binaries.Store);
        await VersionAsync(cluster, "3.7.0");

        // All three: now they agree to the next version, and write its format.
        foreach (var member in cluster.Members) await RollAsync(member, Binaries.NextStore);
        await VersionAsync(cluster, "3.8.0");
        await enough.CancelAsync();
        await AllAreThereAsync(cluster, await writing);

        // From here on the build before refuses the data, in one line, and leaves them as they are.
        await cluster[2].StopAsync();
        cluster[2].Program = Binaries.Store;
        cluster[2].Start();
        await cluster[2].WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.NotEqual(0, cluster[2].ExitCode);
        Assert.Contains("the state on disk has format 2 but this version reads formats up to 1: start the version that wrote it, or a newer one", cluster[2].LogTail(), StringComparison.Ordinal);
        cluster[2].Program = Binaries.NextStore;
        cluster[2].Start();
        await cluster[2].WaitUntilReadyAsync(Token);
    }

    [Fact]
    public async Task A_downgrade_brings_the_format_back_and_lets_the_version_before_take_over()
    {
        await using var cluster = LoopbackCluster.Create(Product.Store, 3);
        foreach (var member in cluster.Members)
        {
            member.Program = Binaries.NextStore;
            member.Start();
        }
        await cluster.WaitUntilReadyAsync(Token);
        await VersionAsync(cluster, "3.8.0");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = WriteAsync(cluster, enough.Token);

        Assert.Equal("etcdserver: wrong downgrade target version format", await DowngradeAsync(cluster[0], DowngradeAction.Enable, "old"));
        Assert.Equal("etcdserver: invalid downgrade target version", await DowngradeAsync(cluster[0], DowngradeAction.Enable, "3.6.0"));
        Assert.Equal("", await DowngradeAsync(cluster[0], DowngradeAction.Validate, "3.7.0"));
        Assert.Equal("", await DowngradeAsync(cluster[0], DowngradeAction.Enable, "3.7.0"));
        await VersionAsync(cluster, "3.7.0");
        Assert.Equal((true, "3.7.0"), await UnderWayAsync(cluster[0]));
        foreach (var member in cluster.Members) await RollAsync(member, Binaries.Store);

        // When the last has come up as 3.7 the job is done by itself.
        for (var attempt = 0; attempt < 300 && (await UnderWayAsync(cluster[0])).Enabled; attempt++) await Task.Delay(100, Token);
        Assert.Equal((false, ""), await UnderWayAsync(cluster[0]));
        Assert.Equal("etcdserver: no inflight downgrade job", await DowngradeAsync(cluster[0], DowngradeAction.Cancel, ""));
        await VersionAsync(cluster, "3.7.0");
        await enough.CancelAsync();
        await AllAreThereAsync(cluster, await writing);
    }

    /// <summary>What is refused, or nothing.</summary>
    static async Task<string> DowngradeAsync(MemberProcess member, DowngradeAction action, string version)
    {
        try
        {
            await new Maintenance.MaintenanceClient(member.Channel).DowngradeAsync(new() { Action = action, Version = version }, deadline: DateTime.UtcNow.AddSeconds(30), cancellationToken: Token);
            return "";
        }
        catch (Grpc.Core.RpcException exception)
        {
            return exception.Status.Detail;
        }
    }

    static async Task<(bool Enabled, string Target)> UnderWayAsync(MemberProcess member)
    {
        var info = (await member.StatusAsync(Token)).DowngradeInfo;
        return (info.Enabled, info.TargetVersion);
    }

    static async Task RollAsync(MemberProcess member, string program)
    {
        await member.StopAsync();
        member.Program = program;
        member.Start();
        await member.WaitUntilReadyAsync(Token);
    }

    static async Task VersionAsync(LoopbackCluster cluster, string expected)
    {
        using var http = new HttpClient();
        foreach (var member in cluster.Members)
        {
            var said = "";
            for (var attempt = 0; attempt < 300 && !said.Contains($"\"etcdcluster\":\"{expected}\"", StringComparison.Ordinal); attempt++)
            {
                if (attempt > 0) await Task.Delay(100, Token);
                said = await http.GetStringAsync(member.ClientUrl + "/version", Token);
            }
            Assert.Contains($"\"etcdcluster\":\"{expected}\"", said, StringComparison.Ordinal);
        }
    }

    /// <summary>Puts to whichever member answers, one after the other; how many were acknowledged.</summary>
    static async Task<int> WriteAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        var acknowledged = 0;
        for (var turn = 0; !cancellationToken.IsCancellationRequested; turn++)
        {
            try
            {
                var put = new PutRequest { Key = Text($"key-{acknowledged:d6}"), Value = Text("x") };
                await new KV.KVClient(cluster[turn % 3].Channel).PutAsync(put, deadline: DateTime.UtcNow.AddSeconds(3), cancellationToken: Token);
                acknowledged++;
                await Task.Delay(5, CancellationToken.None);
            }
            catch (Grpc.Core.RpcException) when (!Token.IsCancellationRequested)
            {
                // Being rolled: the next one is asked.
            }
        }
        return acknowledged;
    }

    static async Task AllAreThereAsync(LoopbackCluster cluster, int acknowledged)
    {
        foreach (var member in cluster.Members)
        {
            var all = await new KV.KVClient(member.Channel).RangeAsync(new() { Key = Text("key-"), RangeEnd = Text("key."), CountOnly = true }, cancellationToken: Token);
            // The last one may have been written without its answer.
            Assert.InRange(all.Count, acknowledged, acknowledged + 1);
        }
    }

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
