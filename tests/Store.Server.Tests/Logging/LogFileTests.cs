using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Server.Tests;

public sealed class LogFileTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("store-log-").FullName;
    readonly FakeTimeProvider time = new(new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    string LogPath => Path.Combine(folder, "logs", "etcd.log");

    string[] Names => [.. Directory.GetFiles(Path.GetDirectoryName(LogPath)!).Select(name => Path.GetFileName(name)).Order(StringComparer.Ordinal)];

    [Fact]
    public void A_file_grows_over_restarts_when_nothing_is_said_of_rotation()
    {
        for (var i = 0; i < 2; i++)
        {
            using var file = LogFile.Open(LogPath, null, time);
            file.Write("line\n"u8);
        }

        Assert.Equal("line\nline\n", File.ReadAllText(LogPath));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(LogPath));
    }

    [Fact]
    public void A_full_file_is_put_aside_under_the_time_and_the_oldest_go()
    {
        using (var file = LogFile.Open(LogPath, new() { BytesMax = 10, FilesMax = 2 }, time))
        {
            for (var i = 0; i < 4; i++)
            {
                file.Write(Encoding.ASCII.GetBytes($"line {i}\n"));
                time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        Assert.Equal(["etcd-2026-01-31T12-00-02.000.log", "etcd-2026-01-31T12-00-03.000.log", "etcd.log"], Names);
        Assert.Equal("line 3\n", File.ReadAllText(LogPath));
    }

    [Fact]
    public void What_is_put_aside_is_compressed_and_goes_when_it_is_too_old()
    {
        using (var file = LogFile.Open(LogPath, new() { BytesMax = 10, AgeMax = TimeSpan.FromDays(1), Compress = true }, time))
        {
            file.Write("line 0\n"u8);
            file.Write("line 1\n"u8);
            time.Advance(TimeSpan.FromDays(2));
            file.Write("line 2\n"u8);
        }

        Assert.Equal(["etcd-2026-02-02T12-00-00.000.log.gz", "etcd.log"], Names);
        using var plain = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, "logs", Names[0])), CompressionMode.Decompress));
        Assert.Equal("line 1\n", plain.ReadToEnd());
    }

    [Fact]
    public void A_full_file_that_cannot_be_put_aside_goes_on()
    {
        using var file = LogFile.Open(LogPath, new() { BytesMax = 10 }, time);
        // A folder stands where the file should go.
        Directory.CreateDirectory(Path.Combine(folder, "logs", "etcd-2026-01-31T12-00-00.000.log"));
        file.Write("line 0\n"u8);
        file.Write("line 1\n"u8);
        time.Advance(TimeSpan.FromSeconds(1));
        file.Write("line 2\n"u8);
        Assert.Equal(["etcd-2026-01-31T12-00-01.000.log", "etcd.log"], Names);
        Assert.Equal("line 0\nline 1\n", File.ReadAllText(Path.Combine(folder, "logs", Names[0])));
        Assert.Equal("line 2\n", File.ReadAllText(LogPath));
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_one_clear_line() =>
        Assert.StartsWith("--log-outputs /proc/nowhere/log cannot be written: ", Assert.Throws<FlagException>(() => LogFile.Open("/proc/nowhere/log", null, time)).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
