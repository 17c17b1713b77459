using System.Security.Cryptography;
using Store.State;
using Store.Storage;

namespace Store.Agent;

/// <summary>Buckets as the content of a backup: the file that a member would send of them, with its SHA-256 behind it.</summary>
sealed class SnapshotImage : IDisposable
{
    readonly IReadOnlyList<BackendBucket> buckets;
    readonly BoltLayout layout;

    /// <summary>Goes through the buckets once; their content once more, unless it is short.</summary>
    public SnapshotImage(IReadOnlyList<BackendBucket> buckets, CancellationToken cancellationToken)
    {
        this.buckets = buckets;
        layout = BoltImage.Measure(buckets, cancellationToken);
    }

    public long Bytes => layout.SizeBytes + SHA256.HashSizeInBytes;

    public void Dispose() => layout.Dispose();

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in BoltImage.Write(buckets, layout))
        {
            hash.AppendData(piece.Span);
            yield return piece;
        }
        await Task.CompletedTask;
        yield return hash.GetHashAndReset();
    }
}
