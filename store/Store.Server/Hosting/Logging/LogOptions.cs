using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Store.Server;

public sealed record LogOptions
{
    public LogLevel Level { get; init; } = LogLevel.Information;
    public bool Json { get; init; } = true;
    /// <summary>"default" (stderr), "stderr", "stdout" or paths of files.</summary>
    public ImmutableArray<string> Outputs { get; init; } = ["default"];
    /// <summary>Null: files grow.</summary>
    public LogRotation? Rotation { get; init; }

    public static bool IsFile(string output) => output is not ("default" or "stderr" or "stdout");
}

/// <summary>When a log file is put aside for a fresh one, and what becomes of it.</summary>
public sealed record LogRotation
{
    public long BytesMax { get; init; } = 100 << 20;
    /// <summary>Zero: kept whatever their age.</summary>
    public TimeSpan AgeMax { get; init; }
    /// <summary>Zero: kept however many.</summary>
    public int FilesMax { get; init; }
    public bool LocalTime { get; init; }
    public bool Compress { get; init; }
}
