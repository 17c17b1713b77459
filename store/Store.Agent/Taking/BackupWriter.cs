using System.Collections.Immutable;
using System.Security.Cryptography;
using Store.Storage;

namespace Store.Agent;

/// <summary>
/// Stores a backup: its content in parts, then everything read back and opened, then the manifest. Whatever ends it before leaves objects that belong to nothing.
/// </summary>
/// <param name="scratch">A folder for the content as it was read back, which is opened before it counts as a backup.</param>
public sealed class BackupWriter(IBackupTarget target, BackupCatalogue catalogue, BackupKey? key, string scratch)
{
    /// <param name="draft">Without parts; with the length that the content is to have.</param>
    /// <returns>What was published.</returns>
    public async Task<Manifest> WriteAsync(Manifest draft, IAsyncEnumerable<ReadOnlyMemory<byte>> content, Pace pace, CancellationToken cancellationToken)
    {
        var manifest = draft with { Parts = await StoreAsync(draft, content, pace, cancellationToken), KeyId = key?.Id };
        await VerifyAsync(manifest, pace, cancellationToken);
        await catalogue.PublishAsync(manifest, cancellationToken);
        return manifest;
    }

    /// <summary>One part is stored while the next one is filled.</summary>
    async Task<ImmutableArray<Part>> StoreAsync(Manifest draft, IAsyncEnumerable<ReadOnlyMemory<byte>> content, Pace pace, CancellationToken cancellationToken)
    {
        var parts = ImmutableArray.CreateBuilder<Part>();
        var (plain, filled, total) = (new byte[Math.Min(PartCodec.PlainBytesMax, draft.PlainBytes)], 0, 0L);
        var storing = Task.CompletedTask;
        await foreach (var piece in content.WithCancellation(cancellationToken))
        {
            total += piece.Length;
            if (total > draft.PlainBytes) throw Wrong($"more than the {draft.PlainBytes} bytes that were announced came");
            for (var rest = piece; !rest.IsEmpty;)
            {
                var count = Math.Min(rest.Length, plain.Length - filled);
                rest[..count].CopyTo(plain.AsMemory(filled));
                (rest, filled) = (rest[count..], filled + count);
                if (filled == plain.Length) await FlushAsync();
            }
            await pace.PassAsync(piece.Length, cancellationToken);
        }

        if (total != draft.PlainBytes) throw Wrong($"the stream ended after {total} of {draft.PlainBytes} bytes");
        if (filled > 0) await FlushAsync();
        await storing;
        return parts.ToImmutable();

        async Task FlushAsync()
        {
            var part = PartCodec.Encode(plain.AsSpan(0, filled), key, draft.Id, parts.Count);
            await storing;
            storing = target.PutAsync(BackupName.OfPart(draft.ClusterId, draft.Id, parts.Count), part, cancellationToken);
            parts.Add(new(filled, part.Length, Convert.ToHexStringLower(SHA256.HashData(part))));
            filled = 0;
        }
    }

    async Task VerifyAsync(Manifest manifest, Pace pace, CancellationToken cancellationToken)
    {
        var path = Path.Combine(scratch, manifest.Id + ".verify");
        try
        {
            await new BackupReader(target, key).ReadAsync(manifest, path, pace, cancellationToken);
            var revision = await Task.Run(() => NewestRow(path), cancellationToken);
            if (revision > manifest.To || (revision != 0 && revision <= manifest.From)) throw Wrong($"it holds revision {revision}, and should hold those from {manifest.From} to {manifest.To}");
        }
        catch (StorageException e)
        {
            throw Wrong(e.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Goes through everything that a restore would read.</summary>
    static long NewestRow(string path)
    {
        using var archive = SnapshotArchive.Open(path, HashCheck.Required);
        return archive.Status().Revision;
    }

    static BackupException Wrong(string what) => new(BackupFailure.Member, $"the backup is not what it should be: {what}; it is taken again");
}
