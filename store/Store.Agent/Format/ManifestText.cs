using System.Text.Json;
using System.Text.Json.Serialization;

namespace Store.Agent;

/// <summary>A manifest as it is stored. With a key nobody without it can lead from one backup's name to another's parts.</summary>
static class ManifestText
{
    public static byte[] Write(Manifest manifest, BackupKey? key) => SealedText.Write(JsonSerializer.Serialize(manifest, ManifestJson.Default.Manifest), key);

    /// <exception cref="BackupException">Damaged, of a format that is not known, or sealed with another key.</exception>
    public static Manifest Read(string name, byte[] content, BackupKey? key)
    {
        var text = SealedText.Read(content);
        if (!text.IsSecret && key is not null)
            throw new BackupException(BackupFailure.Misconfigured, $"{name}: the backup is not encrypted, so anybody could have made it; to use it all the same, leave --encryption-key-file out");
        if (text.IsSecret && key is null) throw new BackupException(BackupFailure.Misconfigured, $"{name}: the backup is encrypted; give its key with --encryption-key-file");
        if (!text.Holds(key)) throw text.IsSecret ? OtherKey(name, text.Json, key!) : Damaged(name, "its checksum is wrong");
        var manifest = Parse(text.Json) ?? throw Damaged(name, "it is no manifest");
        if (manifest.Format != Manifest.KnownFormat)
            throw new BackupException(BackupFailure.Misconfigured, $"{name}: format {manifest.Format}, this program knows only {Manifest.KnownFormat}; use the version {manifest.Version} that wrote it");
        return manifest;
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
