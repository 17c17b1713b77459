using dotnet_etcd;
using Etcdserverpb;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Clients that others wrote, unchanged.</summary>
public sealed class ForeignClientTests
{
    static readonly string Conversation = Path.Combine(Binaries.RepositoryRoot, "tests/EndToEnd.Tests/Clients/etcd3");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Keys, leases, watches, locks, elections, users: see conversation.js. etcd must hear the same, or the conversation would be wrong.</summary>
    [Theory]
    [InlineData(Product.Etcd)]
    [InlineData(Product.Store)]
    public async Task Microsofts_client_for_Node_gets_what_it_expects(Product product)
    {
        var folder = await InstalledAsync();
        await using var cluster = await LoopbackCluster.StartAsync(product, 1, Token);
        var result = await Shell.RunAsync("node", [Path.Combine(folder, "conversation.js"), cluster[0].ClientUrl], null, TimeSpan.FromSeconds(60), cancellationToken: Token);
        Assert.True(result.ExitCode == 0 && result.Output.EndsWith("all said\n", StringComparison.Ordinal), result.ToString());
    }

    [Theory]
    [InlineData(Product.Etcd)]
    [InlineData(Product.Store)]
    public async Task The_client_for_NET_gets_what_it_expects(Product product)
    {
        await using var cluster = await LoopbackCluster.StartAsync(product, 1, Token);
        using var client = new EtcdClient(cluster[0].ClientUrl, configureChannelOptions: options => options.Credentials = ChannelCredentials.Insecure);

        await client.PutAsync("greeting", "hello", cancellationToken: Token);
        Assert.Equal("hello", await client.GetValAsync("greeting", cancellationToken: Token));
        Assert.Equal("", await client.GetValAsync("nothing", cancellationToken: Token));

        var lease = (await client.LeaseGrantAsync(new() { TTL = 60 }, cancellationToken: Token)).ID;
        var held = await client.LockAsync("mutex", lease, cancellationToken: Token);
        Assert.Equal($"mutex/{lease:x}", held.Key.ToStringUtf8());
        using (var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token))
        {
            var other = (await client.LeaseGrantAsync(new() { TTL = 60 }, cancellationToken: Token)).ID;
            var second = client.LockAsync("mutex", other, cancellationToken: impatient.Token);
            Assert.NotSame(second, await Task.WhenAny(second, Task.Delay(300, Token)));
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => second);
        }

        await client.UnlockAsync(held.Key.ToStringUtf8(), cancellationToken: Token);
        var office = await client.CampaignAsync("office", lease, "one", cancellationToken: Token);
        Assert.Equal("one", (await client.LeaderAsync("office", cancellationToken: Token)).Kv.Value.ToStringUtf8());
        await client.ProclaimAsync(office.Leader, "one, still", cancellationToken: Token);
        Assert.Equal("one, still", (await client.LeaderAsync("office", cancellationToken: Token)).Kv.Value.ToStringUtf8());
        await client.ResignAsync(office.Leader, cancellationToken: Token);

        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var request = new WatchRequest { CreateRequest = new() { Key = ByteString.CopyFromUtf8("watched") } };
        var watching = await client.WatchAsync(request, (WatchResponse response) => { if (response.Events is [var first, ..]) seen.TrySetResult(first.Kv.Value.ToStringUtf8()); }, cancellationToken: Token);
        // The client does not say when the watch stands; a put that it missed is repeated.
        while (!seen.Task.IsCompleted)
        {
            await client.PutAsync("watched", "one", cancellationToken: Token);
            await Task.WhenAny(seen.Task, Task.Delay(100, Token));
        }

        Assert.Equal("one", await seen.Task);
        client.CancelWatch(watching);
        await client.LeaseRevokeAsync(new() { ID = lease }, cancellationToken: Token);
    }

    /// <summary>A copy outside the sources, with the packages that its lock file names.</summary>
    static async Task<string> InstalledAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Binaries.RepositoryRoot, "out/etcd3")).FullName;
        foreach (var file in Directory.GetFiles(Conversation)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        (await Shell.RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder], null, TimeSpan.FromMinutes(3), cancellationToken: Token)).Succeeded();
        return folder;
    }
}
