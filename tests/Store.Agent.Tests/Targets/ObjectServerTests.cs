using Xunit;

namespace Store.Agent.Tests;

/// <summary>What every target promises that is a server behind a network, with credentials and quotas.</summary>
public abstract class ObjectServerContract : TargetContract
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected abstract Task<IObjectServer> StartAsync();

    protected override async Task UsingAsync(Func<IBackupTarget, Task> test)
    {
        await using var server = await StartAsync();
        using var target = server.Location().Open();
        await test(target);
    }

    [Fact]
    public async Task Credentials_that_are_wrong_are_said_to_be_and_new_ones_are_taken_without_a_restart()
    {
        await using var server = await StartAsync();
        using var target = server.Location().Open();
        server.SetCredentials(areRight: false);
        Assert.Equal(BackupFailure.Denied, (await FailAsync(target)).Failure);
        server.SetCredentials(areRight: true);
        await target.PutAsync("a", new byte[1], Cancelled);
        server.RemoveCredentials();
        Assert.Equal(BackupFailure.Misconfigured, (await FailAsync(target)).Failure);
        server.SetCredentials(areRight: true);
        await target.PutAsync("a", new byte[1], Cancelled);
    }

    [Fact]
    public async Task A_place_that_is_not_there_and_a_server_that_is_not_there_are_told_apart()
    {
        await using var server = await StartAsync();
        using var elsewhere = server.Elsewhere.Open();
        Assert.Equal(BackupFailure.Misconfigured, (await Assert.ThrowsAsync<BackupException>(() => elsewhere.GetAsync("a", Cancelled))).Failure);
        Assert.Equal(BackupFailure.Misconfigured, (await FailAsync(elsewhere)).Failure);
        using var nobody = server.Location(new("http://127.0.0.1:1")).Open();
        Assert.Equal(BackupFailure.Unreachable, (await Assert.ThrowsAsync<BackupException>(() => nobody.GetAsync("a", Cancelled))).Failure);
    }

    [Fact]
    public async Task A_list_of_more_than_one_page_is_whole()
    {
        await using var server = await StartAsync();
        using var target = server.OpenWithPagesOf(3);
        for (var i = 0; i < 8; i++) await target.PutAsync($"many/{i}", new byte[1], Cancelled);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"many/{i}"), (await target.ListAsync("many/", Cancelled)).Select(stored => stored.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>What is there can still be read, and space is made by removing.</summary>
    [Fact]
    public async Task A_place_that_is_full_is_said_to_be()
    {
        await using var server = await StartAsync();
        await using var proxy = await FullServer.StartAsync(server);
        using var target = server.Location(proxy.Url).Open();
        await target.PutAsync("a", new byte[1], Cancelled);
        foreach (var refusal in new[] { server.NoMoreFits, new(507, "") })
        {
            proxy.Refusal = refusal;
            Assert.Equal(BackupFailure.Full, (await FailAsync(target)).Failure);
            Assert.Equal(BackupFailure.Full, (await Assert.ThrowsAsync<BackupException>(() => target.PutNewAsync("b", new byte[1], Cancelled))).Failure);
            Assert.Equal(["a"], (await target.ListAsync("", Cancelled)).Select(stored => stored.Name));
            Assert.Single((await target.GetAsync("a", Cancelled))!);
        }
        // Not the server, but something in front of it, which may come to its senses.
        proxy.Refusal = new(502, "<html><body>Bad Gateway");
        Assert.Equal(BackupFailure.Unreachable, (await FailAsync(target)).Failure);
        await target.DeleteAsync("a", Cancelled);
        proxy.Refusal = null;
        await target.PutAsync("a", new byte[1], Cancelled);
    }

    /// <summary>A fifth of all connections fails in one of five ways. What was not stored is taken again; what is listed restores.</summary>
    [Fact]
    public async Task Backups_through_an_unreliable_network_restore_all_the_same()
    {
        var seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        await using var server = await StartAsync();
        await using var proxy = new UnreliableProxy(server.Url, seed) { Unreliability = 0.2 };
        using var direct = server.Location().Open();
        using var backups = new BackedUpMachine(target: server.Location(proxy.Url).Open());
        var failed = 0;
        for (var i = 0; i < DeltaMerging.RunLength + 5; i++)
        {
            backups.Machine.Put($"key-{i % 7}", $"{seed} {i}");
            try
            {
                await backups.TakeNextAsync(Cancelled);
                await backups.MergeAsync(Cancelled);
            }
            catch (BackupException e)
            {
                Assert.Equal(BackupFailure.Unreachable, e.Failure);
                failed++;
            }
        }
        Assert.True(proxy.Faults > 10, $"{proxy.Faults} faults, {failed} failures");

        proxy.Unreliability = 0;
        backups.Connect(direct);
        await backups.TakeNextAsync(Cancelled);
        foreach (var manifest in (await backups.Catalogue.ReadAsync("", Cancelled)).Backups)
        {
            var restored = await backups.RestoreAsync(new RecoveryTarget.Revision(manifest.To), Cancelled);
            Assert.Equal(backups.Machine.Dump(manifest.To), restored.Dump());
        }
    }

    static Task<BackupException> FailAsync(IBackupTarget target) => Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[1], Cancelled));
}

public sealed class S3TargetTests : ObjectServerContract
{
    private protected override async Task<IObjectServer> StartAsync() => await S3Server.StartAsync(TestContext.Current.CancellationToken);
}

public sealed class AzureTargetTests(Azurite azurite) : ObjectServerContract
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private protected override async Task<IObjectServer> StartAsync() => await AzureServer.StartAsync(azurite, Cancelled);

    [Fact]
    public async Task A_shared_access_signature_will_do_and_one_that_may_only_read_is_refused()
    {
        await using var server = await AzureServer.StartAsync(azurite, Cancelled);
        server.SetOther("sas-token", server.Signature());
        using var target = server.Location().Open();
        await target.PutAsync("a", new byte[1], Cancelled);
        Assert.Single(await target.ListAsync("", Cancelled));
        server.SetOther("sas-token", server.Signature(onlyReading: true));
        Assert.Equal(BackupFailure.Denied, (await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[2], Cancelled))).Failure);
        Assert.Single((await target.GetAsync("a", Cancelled))!);
    }

    [Fact]
    public async Task A_connection_string_says_everything()
    {
        await using var server = await AzureServer.StartAsync(azurite, Cancelled);
        server.SetOther("connection-string", $"AccountName={Azurite.Account};AccountKey={Azurite.Key};BlobEndpoint={server.Url}{Azurite.Account}");
        using var target = (server.Location() with { Account = null, Endpoint = null }).Open();
        await target.PutAsync("a", new byte[1], Cancelled);
        Assert.Single(await target.ListAsync("", Cancelled));
        using var twice = server.Location().Open();
        Assert.Contains("leave --azure-account", (await Assert.ThrowsAsync<BackupException>(() => twice.ListAsync("", Cancelled))).Message, StringComparison.Ordinal);
        server.SetOther("connection-string", "what");
        Assert.Equal(BackupFailure.Misconfigured, (await Assert.ThrowsAsync<BackupException>(() => target.ListAsync("", Cancelled))).Failure);
    }
}
