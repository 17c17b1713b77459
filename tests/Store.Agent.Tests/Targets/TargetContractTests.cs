using System.Text;
using LocalCluster;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>What every target promises.</summary>
public abstract class TargetContract
{
    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

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

    /// <summary>The moment in which two can win is short.</summary>
    [Fact]
    public Task However_often_many_put_the_same_new_object_one_does() => UsingAsync(async target =>
    {
        for (var round = 0; round < 50; round++)
        {
            var won = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => target.PutNewAsync($"a/new-{round}", Bytes($"{i}"), TestContext.Current.CancellationToken)));
            Assert.Single(won, true);
            Assert.Equal($"{Array.IndexOf(won, true)}", Encoding.UTF8.GetString((await target.GetAsync($"a/new-{round}", TestContext.Current.CancellationToken))!));
        }
    });

    [Fact]
    public async Task A_folder_that_is_not_mounted_is_not_made()
    {
        using var target = new DirectoryTarget("/nowhere/backups");
        var failure = await Assert.ThrowsAsync<BackupException>(() => target.PutAsync("a", new byte[1], TestContext.Current.CancellationToken));
        Assert.Equal((BackupFailure.Unreachable, false), (failure.Failure, Directory.Exists("/nowhere")));
    }
}
