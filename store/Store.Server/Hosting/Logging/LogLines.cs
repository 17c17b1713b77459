using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>
/// One line a message, in the form of etcd's logger: {"level":"info","ts":"2026-01-31T12:00:00.000000Z","logger":"Store.Raft","msg":"...",fields...}.
/// The console form has the same parts, tab-separated.
/// </summary>
sealed class LogLines(ImmutableArray<LogOutput> outputs, LogOptions options, TimeProvider time) : ILoggerProvider
{
    readonly bool json = options.Json;
    readonly LogLevel minimum = options.Level;
    readonly ConcurrentDictionary<string, ILogger> loggers = new(StringComparer.Ordinal);
    readonly Lock gate = new();
    bool disposed;

    public ILogger CreateLogger(string categoryName) => loggers.GetOrAdd(categoryName, name => new Logger(this, name));

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            foreach (var output in outputs) output.Dispose();
        }
    }

    void Write(string category, LogLevel level, string message, object? state, Exception? exception)
    {
        var line = new ArrayBufferWriter<byte>(256);
        var now = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
        if (json) WriteJson(line, now, category, level, message, state, exception);
        else WriteConsole(line, now, category, level, message, state, exception);
        line.Write("\n"u8);
        lock (gate)
        {
            if (disposed) return;
            foreach (var output in outputs) output.Write(line.WrittenSpan);
        }
    }

    static void WriteJson(IBufferWriter<byte> line, string now, string category, LogLevel level, string message, object? state, Exception? exception)
    {
        using var writer = new Utf8JsonWriter(line, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("level", NameOf(level));
        writer.WriteString("ts", now);
        writer.WriteString("logger", category);
        writer.WriteString("msg", message);
        foreach (var (name, value) in FieldsOf(state))
        {
            writer.WritePropertyName(KebabCase(name));
            switch (value)
            {
                case null: writer.WriteNullValue(); break;
                case bool flag: writer.WriteBooleanValue(flag); break;
                case int number: writer.WriteNumberValue(number); break;
                case long number: writer.WriteNumberValue(number); break;
                case ulong number: writer.WriteNumberValue(number); break;
                case double number: writer.WriteNumberValue(number); break;
                default: writer.WriteStringValue(value.ToString()); break;
            }
        }

        if (exception is not null) writer.WriteString("error", exception.ToString());
        writer.WriteEndObject();
    }

    static void WriteConsole(IBufferWriter<byte> line, string now, string category, LogLevel level, string message, object? state, Exception? exception)
    {
        var text = new StringBuilder().Append(now).Append('\t').Append(NameOf(level)).Append('\t').Append(category).Append('\t').Append(message);
        foreach (var (name, value) in FieldsOf(state)) text.Append('\t').Append(KebabCase(name)).Append('=').Append(value);
        if (exception is not null) text.Append('\t').Append("error=").Append(exception);
        Encoding.UTF8.GetBytes(text.ToString(), line);
    }

    static IEnumerable<KeyValuePair<string, object?>> FieldsOf(object? state) =>
        state is IReadOnlyList<KeyValuePair<string, object?>> fields ? fields.Where(f => f.Key != "{OriginalFormat}") : [];

    static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    /// <summary>dataDir is data-dir, as etcd writes its fields.</summary>
    static string KebabCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name) _ = char.IsUpper(c) && text.Length > 0 ? text.Append('-').Append(char.ToLowerInvariant(c)) : text.Append(char.ToLowerInvariant(c));
        return text.ToString();
    }

    sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= lines.Threshold(category) && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) lines.Write(category, logLevel, formatter(state, exception), state, exception);
        }
    }

    /// <summary>
    /// The web server's own voice counts from warnings on: a line for each request would drown ours. gRPC's does not count, for it tells, with a stack trace, of every
    /// message of a client that cannot be read; <see cref="StreamFaults"/> says what is ours.
    /// </summary>
    LogLevel Threshold(string category) =>
        category.StartsWith("Grpc.", StringComparison.Ordinal) ? LogLevel.Critical
        : category.StartsWith("Microsoft.", StringComparison.Ordinal) && minimum < LogLevel.Warning ? LogLevel.Warning
        : minimum;
}
