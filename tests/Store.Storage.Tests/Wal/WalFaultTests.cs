using System.Diagnostics;
using System.Runtime.InteropServices;
using Store.Raft;
using Xunit;
using static Store.Storage.Tests.WalTesting;

namespace Store.Storage.Tests;

/// <summary>A full disk and a power loss, on file systems of the test's own. Mounting needs root.</summary>
public sealed partial class WalFaultTests : IDisposable
{
    static readonly WalOptions Options = new() { SegmentBytes = 256 << 10 };

    readonly TemporaryFolder folder = new();
    readonly string disk;

    public WalFaultTests()
    {
        disk = folder["disk"];
        Directory.CreateDirectory(disk);
    }

    public void Dispose()
    {
        Run("umount", "-l", disk);
        folder.Dispose();
    }

    static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    string Wal => Path.Combine(disk, "wal");

    /// <summary>Appends until the log refuses, and returns the last index that it acknowledged.</summary>
    static ulong AppendUntilRefused(WriteAheadLog log, ulong from, out StorageException refusal)
    {
        for (var i = from; ; i++)
        {
            try
            {
                log.Append(Entry(i, 1, new byte[5000]));
            }
            catch (StorageException e)
            {
                refusal = e;
                return i - 1;
            }
        }
    }

    [Fact]
    public void A_full_disk_is_one_clear_line_and_loses_nothing_acknowledged()
    {
        if (!Run("mount", "-t", "tmpfs", "-o", "size=700k", "none", disk)) Assert.Skip("mounting a file system needs root");
        ulong acknowledged;
        using (var log = WriteAheadLog.Open(Wal, Options).Log)
        {
            acknowledged = AppendUntilRefused(log, 1, out var refusal);
            Assert.Contains("No space left on device", refusal.Message, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(Wal, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("takes nothing", Assert.Throws<StorageException>(() => log.Save(Hard(2, 1, 0))).Message, StringComparison.Ordinal);
        }
        Assert.True(acknowledged > 40);
        Assert.True(Run("mount", "-o", "remount,size=8m", disk));
        using (var log = WriteAheadLog.Open(Wal, Options).Log) log.Append(Entry(acknowledged + 1, 1));
        Assert.Equal(new LogIndex(acknowledged + 1), Read(Wal, Options).Entries[^1].Index);
    }

    [Fact]
    public void After_a_power_loss_everything_acknowledged_is_there_and_the_failed_log_took_nothing_more()
    {
        var image = folder["image"];
        using (var file = File.Create(image)) file.SetLength(32 << 20);
        if (!Run("mkfs.ext4", "-q", image) || !Run("mount", "-o", "loop", image, disk)) Assert.Skip("mounting a file system needs root");
        using (var log = WriteAheadLog.Open(Wal, Options).Log)
        {
            for (ulong i = 1; i <= 100; i++) log.Append(Entry(i, 1, new byte[5000]));
            PowerOff(disk);
            Assert.Equal(100UL, AppendUntilRefused(log, 101, out _));
            Assert.Contains("takes nothing", Assert.Throws<StorageException>(() => log.Append(Entry(101, 1))).Message, StringComparison.Ordinal);
        }
        Assert.True(Run("umount", disk));
        Assert.True(Run("mount", "-o", "loop", image, disk));
        Assert.Equal(new LogIndex(100), Read(Wal, Options).Entries[^1].Index);
    }

    /// <summary>ext4's shutdown without flushing its journal: what was not synced is gone, every later write fails.</summary>
    static void PowerOff(string mountPoint)
    {
        var descriptor = LibC.Open(mountPoint, LibC.OpenForReading);
        var withoutFlush = 2u;
        var result = Ioctl(descriptor, 0x8004587d, ref withoutFlush);
        _ = LibC.Close(descriptor);
        Assert.Equal(0, result);
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(int file, ulong request, ref uint argument);
}
