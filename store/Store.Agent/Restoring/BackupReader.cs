using System.Security.Cryptography;

namespace Store.Agent;

/// <summary>Brings the content of a backup into a file. Nothing is used before its checksum was compared.</summary>
public sealed class BackupReader(IBackupTarget target, BackupKey? key)
{
    /// <exception cref="BackupException">Parts are missing or damaged, or the target cannot be reached.</exception>
    public Task ReadAsync(Manifest manifest, string path, CancellationToken cancellationToken) => ReadAsync(manifest, path, Pace.None, cancellationToken);

    internal async Task ReadAsync(Manifest manifest, string path, Pace pace, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            // The next part is on its way while this one is written.
            var coming = manifest.Parts.IsEmpty ? null : LoadAsync(manifest, 0, cancellationToken);
            for (var number = 0; number < manifest.Parts.Length; number++)
            {
                var plain = await coming!;
                coming = number + 1 < manifest.Parts.Length ? LoadAsync(manifest, number + 1, cancellationToken) : null;
                await file.WriteAsync(plain, cancellationToken);
                await pace.PassAsync(plain.Length, cancellationToken);
            }
        }
        catch (IOException e)
        {
            throw new BackupException(BackupFailure.Full, $"{path}: a backup cannot be unpacked: {e.Message}", e);
        }
    }

    async Task<byte[]> LoadAsync(Manifest manifest, int number, CancellationToken cancellationToken)
    {
        var name = BackupName.OfPart(manifest.ClusterId, manifest.Id, number);
        var expected = manifest.Parts[number];
        var stored = await target.GetAsync(name, cancellationToken) ?? throw Damaged(name, "it is missing");
        if (stored.Length != expected.StoredBytes) throw Damaged(name, $"it has {stored.Length} of {expected.StoredBytes} bytes");
        if (Convert.ToHexStringLower(SHA256.HashData(stored)) != expected.Sha256) throw Damaged(name, "its content was changed");
        // Off the thread that reads from the network.
        var plain = await Task.Run(() => PartCodec.Decode(stored, key, manifest.Id, number), cancellationToken);
        return plain.Length == expected.PlainBytes ? plain : throw Damaged(name, "it holds something else");
    }

    BackupException Damaged(string name, string how) => new(BackupFailure.Damaged, $"{target.Location}: the object {name} is damaged: {how}");
}
