using System.Collections.Immutable;

namespace Store.Server;

/// <summary>Where lines go. Called by one thread at a time.</summary>
abstract class LogOutput : IDisposable
{
    public abstract void Write(ReadOnlySpan<byte> line);

    public abstract void Dispose();

    /// <exception cref="FlagException">A file cannot be written.</exception>
    public static ImmutableArray<LogOutput> Open(LogOptions options, TimeProvider time) =>
    [
        .. options.Outputs.Select<string, LogOutput>(output => output switch
        {
            "stdout" => To(Console.OpenStandardOutput()),
            "default" or "stderr" => To(Console.OpenStandardError()),
            _ => LogFile.Open(output, options.Rotation, time),
        }),
    ];

    public static LogOutput To(Stream stream) => new StreamOutput(stream);

    sealed class StreamOutput(Stream stream) : LogOutput
    {
        public override void Write(ReadOnlySpan<byte> line) => stream.Write(line);

        public override void Dispose() => stream.Dispose();
    }
}
