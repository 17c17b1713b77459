using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>A real agent, a real bucket, and a network between them that fails.</summary>
public sealed class S3AgentTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("agent-s3-");

    [Fact]
    public async Task A_bucket_that_fails_holds_no_writer_up_and_the_agent_catches_up()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var server = await S3Server.StartAsync(cancelled);
        await using var proxy = new UnreliableProxy(server.Url, seed: 1) { Unreliability = 1 };
        string[] location = [$"--s3-endpoint={proxy.Url}", "--s3-path-style", $"--s3-credentials-dir={server.CredentialsFolder}"];
        long last = 0;
        await using (var cluster = await LoopbackCluster.StartAsync(Product.Store, 1, cancelled, flags: "--warmup-duration=0s"))
        await using (var agent = new AgentUnderTest(cluster[0].ClientUrl, $"s3://{server.Bucket}/orders", Path.Combine(folder.FullName, "scratch"), location))
        {
            var kv = new KV.KVClient(cluster[0].Channel);
            await agent.WaitAsync("a failure is told", status => status.TryGetProperty("lastFailure", out _), cancelled);
            for (var i = 0; i < 200; i++) last = (await kv.PutAsync(new() { Key = ByteString.CopyFromUtf8("key"), Value = ByteString.CopyFromUtf8($"{i}") }, cancellationToken: cancelled)).Header.Revision;
            proxy.Unreliability = 0.1;
            await agent.WaitForRevisionAsync(last, cancelled);
        }

        proxy.Unreliability = 0;
        await using var restored = LoopbackCluster.Create(Product.Store, 1, flags: "--warmup-duration=0s");
        (await Shell.RunAsync(
            Binaries.Store,
            [
                "snapshot", "restore", "--from", $"s3://{server.Bucket}/orders", .. location, "--data-dir", restored[0].DataDirectory, "--name", restored[0].Name,
                "--initial-cluster", restored.InitialCluster, "--initial-cluster-token", restored.Token, "--initial-advertise-peer-urls", restored[0].PeerUrl,
            ], null, TimeSpan.FromSeconds(60), cancellationToken: cancelled)).Succeeded();
        restored[0].Start();
        await restored[0].WaitUntilReadyAsync(cancelled);
        var found = await new KV.KVClient(restored[0].Channel).RangeAsync(new() { Key = ByteString.CopyFromUtf8("key") }, cancellationToken: cancelled);
        Assert.Equal(("199", last + 1_000_000_000), (Assert.Single(found.Kvs).Value.ToStringUtf8(), found.Header.Revision));
    }

    public void Dispose() => folder.Delete(recursive: true);
}
