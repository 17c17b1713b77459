using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Store.Agent;

/// <summary>
/// The last drill of a cluster, kept beside its backups: agents restart and take turns, and the interval from one drill to the next is the cluster's. Sealed as manifests
/// are, so that with a key nobody without it can say that a drill was held.
/// </summary>
sealed class DrillRecord(IBackupTarget target, BackupKey? key)
{
    /// <returns>Null when there is none, or none that counts.</returns>
    public async Task<DrillResult?> ReadAsync(string cluster, CancellationToken cancellationToken) =>
        await target.GetAsync(BackupName.DrillOf(cluster), cancellationToken) is { } content && Open(content) is { } held && held.ClusterId == cluster ? held.Result : null;

    public Task WriteAsync(string cluster, DrillResult result, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.Serialize(new(cluster, result), DrillJson.Default.HeldDrill) + "\n";
        return target.PutAsync(BackupName.DrillOf(cluster), Encoding.UTF8.GetBytes(json + ManifestText.Seal(json, key) + "\n"), cancellationToken);
    }

    HeldDrill? Open(byte[] content)
    {
        var text = Encoding.UTF8.GetString(content);
        var end = text.TrimEnd('\n').LastIndexOf('\n') + 1;
        var (json, seal) = (text[..end], text[end..].TrimEnd('\n'));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(seal), Encoding.UTF8.GetBytes(ManifestText.Seal(json, key)))) return null;
        try
        {
            return JsonSerializer.Deserialize(json, DrillJson.Default.HeldDrill);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <param name="ClusterId">Whose: a record that was copied to another cluster's folder counts for nothing there.</param>
sealed record HeldDrill(string ClusterId, DrillResult Result);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(HeldDrill))]
sealed partial class DrillJson : JsonSerializerContext;
