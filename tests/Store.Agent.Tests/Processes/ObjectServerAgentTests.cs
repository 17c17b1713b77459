using System.Text.Json;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>A real agent, a real server of objects, and what may be wrong with it.</summary>
public abstract class ObjectServerAgentContract : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-objects-");

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected abstract Task<IObjectServer> StartAsync();

    [Fact]
    public async Task A_network_that_fails_holds_no_writer_up_and_the_agent_catches_up()
    {
        await using var server = await StartAsync();
        await using var proxy = new UnreliableProxy(server.Url, seed: 1) { Unreliability = 1 };
        long last = 0;
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, Cancelled))
        await using (var agent = Agent(cluster, server, proxy.Url))
        {
            await agent.WaitAsync("a failure is told", status => status.TryGetProperty("lastFailure", out _), Cancelled);
            for (var i = 0; i < 200; i++) last = await PutAsync(cluster[0], $"{i}");
            proxy.Unreliability = 0.1;
            await agent.WaitForRevisionAsync(last, Cancelled);
        }

        proxy.Unreliability = 0;
        Assert.Equal(("199", last + 1_000_000_000), await ReadRestoredAsync(server, proxy.Url));
    }

    [Fact]
    public async Task A_place_that_is_full_and_wrong_credentials_are_told_with_the_age_of_what_can_be_restored()
    {
        await using var server = await StartAsync();
        await using var proxy = await FullServer.StartAsync(server);
        long last;
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, Cancelled))
        await using (var agent = Agent(cluster, server, proxy.Url))
        {
            var before = await PutAsync(cluster[0], "before");
            await agent.WaitForRevisionAsync(before, Cancelled);

            proxy.Refusal = server.NoMoreFits;
            await PutAsync(cluster[0], "while full");
            await FailsAsync(agent, "Full", before);
            proxy.Refusal = null;
            last = await PutAsync(cluster[0], "when there was space again");
            await agent.WaitForRevisionAsync(last, Cancelled);

            server.SetCredentials(areRight: false);
            await PutAsync(cluster[0], "while denied");
            await FailsAsync(agent, "Denied", last);
            server.SetCredentials(areRight: true);
            last = await PutAsync(cluster[0], "in the end");
            await agent.WaitForRevisionAsync(last, Cancelled);
        }
        Assert.Equal(("in the end", last + 1_000_000_000), await ReadRestoredAsync(server, proxy.Url));
    }

    /// <summary>In `/status`, in the log and in metrics; and the moment that can be restored does not move on.</summary>
    static async Task FailsAsync(AgentUnderTest agent, string reason, long recoverable)
    {
        // The line of the log is read some time after it was written.
        bool IsLogged(JsonElement told) => agent.Log.Replace("\\u0022", "\"", StringComparison.Ordinal).Contains(told.GetProperty("message").GetString()!, StringComparison.Ordinal);
        var status = await agent.WaitAsync(
            $"{reason} is told", status => status.TryGetProperty("lastFailure", out var told) && told.GetProperty("failure").GetString() == reason && IsLogged(told), Cancelled);
        Assert.Equal(recoverable, status.GetProperty("recoverableRevision").GetInt64());
        var metrics = await agent.GetAsync("/metrics", Cancelled);
        Assert.Contains($"store_backup_failures_total{{reason=\"{reason}\"}}", metrics, StringComparison.Ordinal);
        Assert.Contains("store_backup_recoverable_age_seconds{} ", metrics, StringComparison.Ordinal);
    }

    AgentUnderTest Agent(LoopbackCluster cluster, IObjectServer server, Uri through) =>
        new(cluster[0].ClientUrl, server.LocationFlag, Path.Combine(folder.FullName, "scratch"), server.Flags(through));

    static async Task<long> PutAsync(MemberProcess member, string value) =>
        (await new KV.KVClient(member.Channel).PutAsync(new() { Key = ByteString.CopyFromUtf8("key"), Value = ByteString.CopyFromUtf8(value) }, cancellationToken: Cancelled)).Header.Revision;

    static async Task<(string Value, long Revision)> ReadRestoredAsync(IObjectServer server, Uri through)
    {
        await using var restored = LoopbackCluster.Create(Product.Store, 1);
        (await Shell.RunAsync(
            Binaries.Store,
            [
                "snapshot", "restore", "--from", server.LocationFlag, .. server.Flags(through), "--data-dir", restored[0].DataDirectory, "--name", restored[0].Name,
                "--initial-cluster", restored.InitialCluster, "--initial-cluster-token", restored.Token, "--initial-advertise-peer-urls", restored[0].PeerUrl,
            ], null, TimeSpan.FromSeconds(60), cancellationToken: Cancelled)).Succeeded();
        restored[0].Start();
        await restored[0].WaitUntilReadyAsync(Cancelled);
        var found = await new KV.KVClient(restored[0].Channel).RangeAsync(new() { Key = ByteString.CopyFromUtf8("key") }, cancellationToken: Cancelled);
        return (Assert.Single(found.Kvs).Value.ToStringUtf8(), found.Header.Revision);
    }

    public void Dispose()
    {
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }
}

public sealed class S3AgentTests : ObjectServerAgentContract
{
    private protected override async Task<IObjectServer> StartAsync() => await S3Server.StartAsync(TestContext.Current.CancellationToken);
}

public sealed class AzureAgentTests(Azurite azurite) : ObjectServerAgentContract
{
    private protected override async Task<IObjectServer> StartAsync() => await AzureServer.StartAsync(azurite, TestContext.Current.CancellationToken);
}
