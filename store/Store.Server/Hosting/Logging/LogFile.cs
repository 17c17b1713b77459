using System.Globalization;
using System.IO.Compression;

namespace Store.Server;

/// <summary>
/// A log file that is put aside when it is full, under etcd's names: "etcd.log" becomes "etcd-2026-01-31T12-00-00.000.log", in gzip if so told. Old ones are removed by
/// age and number. A disk that is full costs lines, never the member.
/// </summary>
sealed class LogFile : LogOutput
{
    const string TimeForm = "yyyy-MM-dd'T'HH-mm-ss.fff";
    const string Compressed = ".gz";

    readonly string path;
    readonly LogRotation? rotation;
    readonly TimeProvider time;
    FileStream file;
    Task tidying = Task.CompletedTask;

    LogFile(string path, LogRotation? rotation, TimeProvider time)
    {
        this.path = path;
        this.rotation = rotation;
        this.time = time;
        file = OpenFile(path);
    }

    public static LogFile Open(string path, LogRotation? rotation, TimeProvider time)
    {
        try
        {
            var full = Path.GetFullPath(path.StartsWith("file://", StringComparison.Ordinal) ? new Uri(path).LocalPath : path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            return new(full, rotation, time);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or UriFormatException)
        {
            throw new FlagException($"--log-outputs {path} cannot be written: {exception.Message}");
        }
    }

    public override void Write(ReadOnlySpan<byte> line)
    {
        try
        {
            if (rotation is not null && file.Position > 0 && file.Position + line.Length > rotation.BytesMax) TryRotate(rotation);
            file.Write(line);
            file.Flush();
        }
        catch (IOException)
        {
            // There is nowhere to say so.
        }
    }

    public override void Dispose()
    {
        file.Dispose();
        tidying.Wait();
    }

    static FileStream OpenFile(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    void TryRotate(LogRotation rule)
    {
        try
        {
            Rotate(rule);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Tried again with the next line.
        }
    }

    void Rotate(LogRotation rule)
    {
        var now = rule.LocalTime ? time.GetLocalNow() : time.GetUtcNow();
        var aside = $"{WithoutExtension}-{now.ToString(TimeForm, CultureInfo.InvariantCulture)}{Path.GetExtension(path)}";
        // The open file goes along under its new name: where that cannot be, lines go on into the full one.
        File.Move(path, aside, overwrite: true);
        var full = file;
        file = OpenFile(path);
        full.Dispose();
        // Compressing takes time, and whoever logs must not wait for it.
        tidying = tidying.ContinueWith(_ => Tidy(rule), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    string WithoutExtension => path[..^Path.GetExtension(path).Length];

    void Tidy(LogRotation rule)
    {
        try
        {
            var old = Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(WithoutExtension) + "-*")
                .Select(name => (Name: name, Time: TimeOf(name))).Where(f => f.Time is not null).OrderByDescending(f => f.Time).ToArray();
            var oldest = (rule.LocalTime ? time.GetLocalNow() : time.GetUtcNow()).DateTime - rule.AgeMax;
            for (var i = 0; i < old.Length; i++)
            {
                if ((rule.FilesMax > 0 && i >= rule.FilesMax) || (rule.AgeMax > TimeSpan.Zero && old[i].Time < oldest)) File.Delete(old[i].Name);
                else if (rule.Compress && !old[i].Name.EndsWith(Compressed, StringComparison.Ordinal)) Compress(old[i].Name);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Tried again with the next rotation.
        }
    }

    /// <summary>Null for a file that is none of ours.</summary>
    DateTime? TimeOf(string name)
    {
        var plain = name.EndsWith(Compressed, StringComparison.Ordinal) ? name[..^Compressed.Length] : name;
        var extension = Path.GetExtension(path);
        if (!plain.EndsWith(extension, StringComparison.Ordinal) || plain.Length <= WithoutExtension.Length + 1 + extension.Length) return null;
        var stamp = plain[(WithoutExtension.Length + 1)..^extension.Length];
        return DateTime.TryParseExact(stamp, TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out var then) ? then : null;
    }

    static void Compress(string name)
    {
        using (var plain = File.OpenRead(name))
        using (var packed = new GZipStream(File.Create(name + Compressed), CompressionLevel.Optimal)) plain.CopyTo(packed);
        File.Delete(name);
    }
}
