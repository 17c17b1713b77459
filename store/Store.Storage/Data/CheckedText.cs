using System.Globalization;
using System.Text;

namespace Store.Storage;

/// <summary>
/// A small file that people can read and that is written as a whole: lines of "name value", the last one the CRC of the others.
/// <code>
/// format 1
/// cluster cdf818194e3a8c32
/// member 8e9e05c52164694d
/// crc32c 1f2e3d4c
/// </code>
/// </summary>
static class CheckedText
{
    const string CrcName = "crc32c";

    internal static void Write(string path, params IEnumerable<(string Name, string Value)> lines)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in lines) text.Append(name).Append(' ').Append(value).Append('\n');
        var crc = Crc(text.ToString());
        text.Append(CrcName).Append(' ').Append(crc).Append('\n');
        Disk.WriteAtomically(path, Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>The lines by name; null when there is no such file.</summary>
    internal static CheckedLines? Read(string path)
    {
        if (!File.Exists(path)) return null;
        var text = Disk.Try(path, "cannot be read", () => File.ReadAllText(path));
        var end = text.LastIndexOf(CrcName, StringComparison.Ordinal);
        if (end < 0 || text[end..] != $"{CrcName} {Crc(text[..end])}\n")
            throw new StorageException($"{path}: offset {Math.Max(end, 0)}: the file is damaged (CRC); restore it from a copy, or replace this member");
        return Parse(path, text[..end]);
    }

    internal static CheckedLines Parse(string source, string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new(source, [.. lines.Select(line => (line.Split(' ', 2)[0], line.Split(' ', 2)[^1]))]);
    }

    static string Crc(string text) => Crc32C.Compute(Encoding.UTF8.GetBytes(text)).ToString("x8", CultureInfo.InvariantCulture);
}

sealed class CheckedLines(string path, IReadOnlyList<(string Name, string Value)> lines)
{
    internal string Text(string name) => All(name).FirstOrDefault() ?? throw new StorageException($"{path}: the line '{name}' is missing");

    internal string? TextOrNull(string name) => All(name).FirstOrDefault();

    internal IEnumerable<string> All(string name) => lines.Where(line => line.Name == name).Select(line => line.Value);

    internal ulong Number(string name, bool hexadecimal = false) => Parse(Text(name), hexadecimal);

    internal ulong Parse(string value, bool hexadecimal = false) =>
        ulong.TryParse(value, hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new StorageException($"{path}: '{value}' is not a number");

    internal void RequireFormat(ulong known)
    {
        if (Number("format") is var format && format != known)
            throw new StorageException($"{path}: format {format}, this program knows only {known}; start the version of the program that wrote it");
    }
}
