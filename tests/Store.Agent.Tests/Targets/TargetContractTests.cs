using System.Text;
using LocalCluster;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>What every target promises.</summary>
public abstract class TargetContract
{
    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected abstract Task UsingAsync(Func<IBackupTarget, Task> test);

    [Fact]
    public Task What_is_put_can_be_read_listed_and_deleted() => UsingAsync(async target =>
    {
        var cancelled = TestContext.Current.CancellationToken;
        Assert.Null(await target.GetAsync("a/b/c", cancelled));
        Assert.Empty(await target.ListAsync("", cancelled));
        await target.PutAsync("a/b/c", Bytes("1"), cancelled);
        await target.PutAsync("a/b/c", Bytes("22"), cancelled);
        await target.PutAsync("a/bc", Array.Empty<byte>(), cancelled);
        await target.PutAsync("b", new byte[3_000_000], cancelled);
        Assert.Equal("22", Encoding.UTF8.GetString((await target.GetAsync("a/b/c", cancelled))!));
        Assert.Empty((await target.GetAsync("a/bc", cancelled))!);
        Assert.Equal(3_000_000, (await target.GetAsync("b", cancelled))!.Length);
        Assert.Equal(["a/b/c 2", "a/bc 0"], (await target.ListAsync("a/b", cancelled)).Select(stored => $"{stored.Name} {stored.Bytes}").Order(StringComparer.Ordinal));
        Assert.Equal(["a/b/c"], (await target.ListAsync("a/b/", cancelled)).Select(stored => stored.Name));
        Assert.All(await target.ListAsync("", cancelled), stored => Assert.InRange(stored.Modified, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5)));
        await target.DeleteAsync("a/b/c", cancelled);
        await target.DeleteAsync("a/b/c", cancelled);
        Assert.Null(await target.GetAsync("a/b/c", cancelled));
    });

    [Fact]
    public Task Of_many_that_put_the_same_new_object_one_does() => UsingAsync(async target =>
    {
        var cancelled = TestContext.Current.CancellationToken;
        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                return await target.PutNewAsync("a/new", Bytes($"{i}"), cancelled);
            }
            catch (BackupException)
            {
                // A server may refuse writers that come at the very same moment.
                return false;
            }
        }));
        Assert.Single(won, true);
        Assert.Equal($"{Array.IndexOf(won, true)}", Encoding.UTF8.GetString((await target.GetAsync("a/new", cancelled))!));
        Assert.Equal(["a/new"], (await target.ListAsync("", cancelled)).Select(stored => stored.Name));
    });
}

public sealed class DirectoryTargetTests : TargetContract
{
    protected override async Task UsingAsync(Func<IBackupTarget, Task> test)
    {
        var folder = Directory.CreateTempSubdirectory("target-test-");
        using var target = new DirectoryTarget(folder.FullName);
        await test(target);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_disk_that_is_full_is_said_to_be()
    {
        if (Environment.UserName != "root") Assert.Skip("only root can mount a small disk");
        var folder = Directory.CreateTempSubdirectory("target-test-");
        Shell.Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", folder.FullName).Succeeded();
        try
        {
            using var target = new DirectoryTarget(folder.FullName);
            var failure = await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a/b", new byte[1 << 20], TestContext.Current.CancellationToken));
            Assert.Equal(BackupFailure.Full, failure.Failure);
            await target.PutAsync("a/c", new byte[1000], TestContext.Current.CancellationToken);
        }
        finally
        {
            Shell.Run("umount", folder.FullName).Succeeded();
            folder.Delete();
        }
    }

    [Fact]
    public async Task A_folder_that_is_not_mounted_is_not_made()
    {
        using var target = new DirectoryTarget("/nowhere/backups");
        var failure = await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[1], TestContext.Current.CancellationToken));
        Assert.Equal((BackupFailure.Unreachable, false), (failure.Failure, Directory.Exists("/nowhere")));
    }
}

public sealed class S3TargetTests : TargetContract
{
    protected override async Task UsingAsync(Func<IBackupTarget, Task> test)
    {
        await using var server = await S3Server.StartAsync(TestContext.Current.CancellationToken);
        using var target = server.Location().Open();
        await test(target);
    }

    [Fact]
    public async Task Credentials_that_are_wrong_are_said_to_be_and_new_ones_are_taken_without_a_restart()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var server = await S3Server.StartAsync(cancelled);
        using var target = server.Location().Open();
        server.SetCredentials("test", "wrong");
        Assert.Equal(BackupFailure.Denied, (await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[1], cancelled))).Failure);
        server.SetCredentials("test", "testsecret");
        await target.PutAsync("a", new byte[1], cancelled);
        File.Delete(Path.Combine(server.CredentialsFolder, "secret-access-key"));
        Assert.Equal(BackupFailure.Misconfigured, (await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[1], cancelled))).Failure);
        server.SetCredentials("test", "testsecret");
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_and_a_server_that_is_not_there_are_told_apart()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var server = await S3Server.StartAsync(cancelled);
        using var other = (server.Location() with { Bucket = "no-such-bucket" }).Open();
        Assert.Equal(BackupFailure.Misconfigured, (await Assert.ThrowsAsync<BackupException>(() => other.GetAsync("a", cancelled))).Failure);
        using var nobody = server.Location(new("http://127.0.0.1:1")).Open();
        Assert.Equal(BackupFailure.Unreachable, (await Assert.ThrowsAsync<BackupException>(() => nobody.GetAsync("a", cancelled))).Failure);
    }

    /// <summary>A third of all connections fail in one of five ways. What was not stored is taken again; what is listed restores.</summary>
    [Fact]
    public async Task Backups_through_an_unreliable_network_restore_all_the_same()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var seed = Environment.TickCount;
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        await using var server = await S3Server.StartAsync(cancelled);
        await using var proxy = new UnreliableProxy(server.Url, seed) { Unreliability = 0.33 };
        using var direct = server.Location().Open();
        using var backups = new BackedUpMachine(target: server.Location(proxy.Url).Open());
        var failed = 0;
        for (var i = 0; i < DeltaMerging.RunLength + 5; i++)
        {
            backups.Machine.Put($"key-{i % 7}", $"{seed} {i}");
            try
            {
                await backups.TakeNextAsync(cancelled);
                await backups.MergeAsync(cancelled);
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
        await backups.TakeNextAsync(cancelled);
        foreach (var manifest in (await backups.Catalogue.ReadAsync("", cancelled)).Backups)
        {
            var restored = await backups.RestoreAsync(new RecoveryTarget.Revision(manifest.To), cancelled);
            Assert.Equal(backups.Machine.Dump(manifest.To), restored.Dump());
        }
    }
}
