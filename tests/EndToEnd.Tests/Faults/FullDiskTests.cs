using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A whole member on a disk that becomes full. The disk is a tmpfs of the test's own; mounting needs root.</summary>
public sealed class FullDiskTests
{
    const int ValueBytes = 256 * 1024;

    /// <summary>More than fits: the test ends by itself whatever the member does.</summary>
    const int WritesMax = 4_000;

    [Fact]
    public async Task A_full_disk_ends_the_member_with_one_line_and_loses_nothing_acknowledged()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = LoopbackCluster.Create(Product.Store, 1);
        using var disk = SmallDisk.Mount(cluster[0].DataDirectory);
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancellationToken);

        var acknowledged = await WriteUntilItEndsAsync(cluster[0], cluster[0], cancellationToken);
        await EndsWithOneLineAsync(cluster[0]);

        disk.Grow();
        cluster[0].Start();
        await cluster[0].WaitUntilReadyAsync(cancellationToken);
        await HoldsAsync(cluster[0], acknowledged, cancellationToken);
        await PutAsync(cluster[0], acknowledged, cancellationToken);
    }

    [Fact]
    public async Task Two_members_go_on_when_the_third_has_no_space_left_and_it_catches_up_when_it_has()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = LoopbackCluster.Create(Product.Store, 3);
        var full = cluster[2];
        using var disk = SmallDisk.Mount(full.DataDirectory);
        foreach (var member in cluster.Members)
            member.Start();
        await cluster.WaitUntilReadyAsync(cancellationToken);

        var acknowledged = await WriteUntilItEndsAsync(cluster[0], full, cancellationToken);
        await EndsWithOneLineAsync(full);
        for (var more = 0; more < 20; more++)
            await PutAsync(cluster[0], acknowledged++, cancellationToken);

        disk.Grow();
        full.Start();
        await full.WaitUntilReadyAsync(cancellationToken);
        foreach (var member in cluster.Members)
            await HoldsAsync(member, acknowledged, cancellationToken);
    }

    /// <summary>Puts through one member until the other has ended; how many were acknowledged, from number 0 on without a gap.</summary>
    static async Task<int> WriteUntilItEndsAsync(MemberProcess through, MemberProcess victim, CancellationToken cancellationToken)
    {
        for (var n = 0; n < WritesMax; n++)
        {
            if (!victim.IsRunning)
                return n;
            try
            {
                await PutAsync(through, n, cancellationToken);
            }
            catch (RpcException) when (through == victim)
            {
                await victim.WaitForExitAsync(TimeSpan.FromSeconds(20));
                return n;
            }
            catch (RpcException)
            {
                // Its leader has just gone: the same again at the next.
                n--;
            }
        }
        throw new InvalidOperationException($"the disk did not become full:\n{victim.LogTail()}");
    }

    static async Task EndsWithOneLineAsync(MemberProcess member)
    {
        await member.WaitForExitAsync(TimeSpan.FromSeconds(20));
        Assert.NotEqual(0, member.ExitCode);
        var words = Assert.Single(member.Log().Split('\n'), line => line.StartsWith("store: ", StringComparison.Ordinal));
        Assert.Contains(member.DataDirectory, words, StringComparison.Ordinal);
        Assert.Contains("No space left on device", words, StringComparison.OrdinalIgnoreCase);
    }

    static async Task PutAsync(MemberProcess member, int number, CancellationToken cancellationToken)
    {
        var value = new byte[ValueBytes];
        new Random(number).NextBytes(value);
        var request = new PutRequest { Key = ByteString.CopyFromUtf8($"k{number}"), Value = ByteString.CopyFrom(value) };
        await new KV.KVClient(member.Channel).PutAsync(request, deadline: DateTime.UtcNow.AddSeconds(20), cancellationToken: cancellationToken);
    }

    static async Task HoldsAsync(MemberProcess member, int acknowledged, CancellationToken cancellationToken)
    {
        var request = new RangeRequest { Key = ByteString.CopyFromUtf8("k"), RangeEnd = ByteString.CopyFromUtf8("l"), KeysOnly = true };
        var found = (await new KV.KVClient(member.Channel).RangeAsync(request, cancellationToken: cancellationToken)).Kvs.Select(kv => kv.Key.ToStringUtf8()).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(Enumerable.Range(0, acknowledged).Select(n => $"k{n}").Except(found));
    }

    sealed class SmallDisk : IDisposable
    {
        readonly string folder;

        SmallDisk(string folder) => this.folder = folder;

        public static SmallDisk Mount(string folder)
        {
            Directory.CreateDirectory(folder);
            if (Shell.Run("mount", "-t", "tmpfs", "-o", "size=300m", "none", folder).ExitCode != 0)
                Assert.Skip("mounting a file system needs root");
            return new(folder);
        }

        public void Grow() => Shell.Run("mount", "-o", "remount,size=900m", folder).Succeeded();

        public void Dispose() => Shell.Run("umount", "-l", folder);
    }
}
