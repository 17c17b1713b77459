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

    public Task WriteAsync(string cluster, DrillResult result, CancellationToken cancellationToken) =>
        target.PutAsync(BackupName.DrillOf(cluster), SealedText.Write(JsonSerializer.Serialize(new(cluster, result), DrillJson.Default.HeldDrill), key), cancellationToken);

    HeldDrill? Open(byte[] content)
    {
        var text = SealedText.Read(content);
        if (!text.Holds(key)) return null;
        try
        {
            return JsonSerializer.Deserialize(text.Json, DrillJson.Default.HeldDrill);
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
