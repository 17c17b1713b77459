using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>The flags of logging.</summary>
static class LogFlags
{
    public static LogOptions Read(FlagValues flags)
    {
        ImmutableArray<string> outputs = [.. flags.Text("log-outputs").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        if (outputs.IsEmpty) throw new FlagException("--log-outputs must not be empty");
        if (outputs.Length > 1 && outputs.Contains("default")) throw new FlagException("--log-outputs: 'default' stands alone; name stderr or stdout beside files");
        if (outputs.FirstOrDefault(output => output is "systemd/journal") is { } journal)
            throw new FlagException($"--log-outputs {journal}: systemd takes what is written to stderr; use that");
        var rotates = flags.Boolean("enable-log-rotation");
        if (rotates && !outputs.Any(LogOptions.IsFile)) throw new FlagException("--enable-log-rotation needs a file in --log-outputs");
        return new()
        {
            Level = Level(flags.Text("log-level")),
            Json = ServerOptionsReader.OneOf(flags, "log-format", "json", "console") == "json",
            Outputs = outputs,
            Rotation = rotates ? Rotation(flags.Text("log-rotation-config-json")) : null,
        };
    }

    static LogLevel Level(string name) => name switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "dpanic" or "panic" or "fatal" => LogLevel.Critical,
        _ => throw new FlagException($"--log-level must be debug, info, warn, error, panic or fatal, not '{name}'"),
    };

    /// <summary>etcd's JSON: maxsize in MiB (0 is 100), maxage in days and maxbackups in files (0 is no limit), localtime, compress.</summary>
    static LogRotation Rotation(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var fields = document.RootElement;
            int Number(string name) => fields.TryGetProperty(name, out var value) && value.GetInt32() is >= 0 and < 1 << 20 and var number ? number : 0;
            bool Flag(string name) => fields.TryGetProperty(name, out var value) && value.GetBoolean();
            return new()
            {
                BytesMax = (Number("maxsize") is > 0 and var size ? size : 100L) << 20,
                AgeMax = TimeSpan.FromDays(Number("maxage")),
                FilesMax = Number("maxbackups"),
                LocalTime = Flag("localtime"),
                Compress = Flag("compress"),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new FlagException($"--log-rotation-config-json is not such JSON as {{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0}}: {exception.Message}");
        }
    }
}
