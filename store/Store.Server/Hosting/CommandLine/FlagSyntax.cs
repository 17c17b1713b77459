using System.Buffers;
using System.Globalization;

namespace Store.Server;

/// <summary>Values of flags as Go writes them. Null when malformed.</summary>
static class FlagSyntax
{
    static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    public static bool? Boolean(string text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => null,
    };

    public static long? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Go's durations: "0", "1h30m", "1.5s", "-5ms".</summary>
    public static TimeSpan? Duration(string text)
    {
        var rest = text.AsSpan();
        var sign = rest.StartsWith("-") ? -1 : 1;
        rest = rest.TrimStart("+-");
        if (rest is "0") return TimeSpan.Zero;
        if (rest.IsEmpty) return null;

        double ticks = 0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return null;
            rest = rest[digits..];
            var letters = rest.IndexOfAny(NumberCharacters);
            var unit = letters < 0 ? rest : rest[..letters];
            if (TicksOf(unit) is not { } ticksOfUnit) return null;
            ticks += number * ticksOfUnit;
            rest = rest[unit.Length..];
        }

        return ticks <= long.MaxValue / 2 ? new TimeSpan(sign * (long)ticks) : null;
    }

    static double? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01,
        "us" or "µs" or "μs" => TimeSpan.TicksPerMicrosecond,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
