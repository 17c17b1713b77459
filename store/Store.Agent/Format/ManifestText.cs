using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Store.Agent;

/// <summary>
/// A manifest as it is stored: JSON that people can read, and behind it a line that holds it together. With a key the line is a MAC, so that nobody without the key
/// can make one, or lead from one backup's name to another's parts.
/// <code>
/// { "format": 1, "id": "20261127T203400Z-1f2e3d4c", "kind": "full", ... }
/// sha256 9f86d081884c7d65...
/// </code>
/// </summary>
static class ManifestText
{
    const string Checksum = "sha256", Mac = "hmac-sha256";

    public static byte[] Write(Manifest manifest, BackupKey? key)
    {
        var json = JsonSerializer.Serialize(manifest, ManifestJson.Default.Manifest) + "\n";
        return Encoding.UTF8.GetBytes(json + Seal(json, key) + "\n");
    }

    /// <exception cref="BackupException">Damaged, of a format that is not known, or sealed with another key.</exception>
    public static Manifest Read(string name, byte[] content, BackupKey? key)
    {
        var text = Encoding.UTF8.GetString(content);
        var end = text.TrimEnd('\n').LastIndexOf('\n') + 1;
        var (json, seal) = (text[..end], text[end..].TrimEnd('\n'));
        var isSecret = seal.StartsWith(Mac, StringComparison.Ordinal);
        if (!isSecret && key is not null)
            throw new BackupException(BackupFailure.Misconfigured, $"{name}: the backup is not encrypted, so anybody could have made it; to use it all the same, leave --encryption-key-file out");
        if (isSecret && key is null) throw new BackupException(BackupFailure.Misconfigured, $"{name}: the backup is encrypted; give its key with --encryption-key-file");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(seal), Encoding.UTF8.GetBytes(Seal(json, key))))
            throw isSecret ? OtherKey(name, json, key!) : Damaged(name, "its checksum is wrong");
        var manifest = Parse(json) ?? throw Damaged(name, "it is no manifest");
        if (manifest.Format != Manifest.KnownFormat)
            throw new BackupException(BackupFailure.Misconfigured, $"{name}: format {manifest.Format}, this program knows only {Manifest.KnownFormat}; use the version {manifest.Version} that wrote it");
        return manifest;
    }

    /// <summary>The line that holds a text together.</summary>
    internal static string Seal(string json, BackupKey? key)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        return key is null ? $"{Checksum} {Convert.ToHexStringLower(SHA256.HashData(bytes))}" : $"{Mac} {Convert.ToHexStringLower(HMACSHA256.HashData(key.Sealing, bytes))}";
    }

    static BackupException OtherKey(string name, string json, BackupKey key) => Parse(json)?.KeyId is { } id && id != key.Id
        ? new(BackupFailure.Misconfigured, $"{name}: the backup is encrypted with key {id}, and --encryption-key-file holds key {key.Id}; give the file that it was made with")
        : Damaged(name, "its MAC is wrong");

    static Manifest? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ManifestJson.Default.Manifest) is { Points.IsDefaultOrEmpty: false, Parts.IsDefault: false } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static BackupException Damaged(string name, string how) => new(BackupFailure.Damaged, $"{name}: the manifest is damaged: {how}; its backup cannot be used");
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, IgnoreReadOnlyProperties = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Manifest))]
sealed partial class ManifestJson : JsonSerializerContext;
