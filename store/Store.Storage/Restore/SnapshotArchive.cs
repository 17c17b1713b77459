using System.Security.Cryptography;
using Store.Raft;
using Store.State;

namespace Store.Storage;

/// <summary>What `etcdutl snapshot status` tells of a snapshot.</summary>
/// <param name="Hash">CRC-32C over names of buckets, keys and values.</param>
/// <param name="TotalKeys">Pairs in all buckets.</param>
/// <param name="TotalSizeBytes">Of the database, without the hash behind it.</param>
/// <param name="Version">Of etcd's storage; empty before 3.6.</param>
public sealed record SnapshotStatus(uint Hash, long Revision, long TotalKeys, long TotalSizeBytes, string Version);

/// <summary>What to make of the SHA-256 behind a snapshot.</summary>
public enum HashCheck
{
    Required,
    /// <summary>A database copied out of a data directory has none.</summary>
    IfThere,
    Skipped,
}

/// <summary>
/// A snapshot as clients save it, etcd's or our own, which are alike: a bbolt file with its SHA-256 behind it. Throws <see cref="StorageException"/> with one
/// clear line for anything else.
/// </summary>
public sealed class SnapshotArchive : IDisposable
{
    const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>A bbolt file ends on a page, so a rest of 32 bytes is the hash (contract 1.9).</summary>
    const int SectorBytes = 512;
    const string KeyBucket = "key", MetaBucket = "meta";

    readonly BoltFile file;

    SnapshotArchive(BoltFile file) => this.file = file;

    public static SnapshotArchive Open(string path, HashCheck check)
    {
        if (check != HashCheck.Skipped) CheckHash(path, check == HashCheck.Required);
        var file = BoltFile.Open(path);
        if (file.Buckets.Contains(KeyBucket) && file.Buckets.Contains(MetaBucket)) return new(file);
        file.Dispose();
        throw new StorageException($"{path}: this is a bbolt file, but no snapshot of etcd: it has no buckets '{KeyBucket}' and '{MetaBucket}'");
    }

    public IEnumerable<BackendPair> Read(string bucket) => file.Read(bucket);

    /// <summary>Reads everything.</summary>
    public SnapshotStatus Status()
    {
        var (crc, keys, revision, version) = (Crc32C.Start, 0L, 0L, "");
        foreach (var bucket in file.Buckets)
        {
            crc = Crc32C.Add(crc, System.Text.Encoding.UTF8.GetBytes(bucket));
            foreach (var (key, value) in file.Read(bucket))
            {
                keys++;
                crc = Crc32C.Add(Crc32C.Add(crc, key.Span), value.Span);
                if (bucket == KeyBucket && key.Length >= sizeof(long)) revision = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(key.Span);
                if (bucket == MetaBucket && key.Span.SequenceEqual("storageVersion"u8)) version = System.Text.Encoding.UTF8.GetString(value.Span);
            }
        }
        return new(Crc32C.Finish(crc), revision, keys, file.SizeBytes, version);
    }

    public void Dispose() => file.Dispose();

    static void CheckHash(string path, bool isRequired)
    {
        using var stream = Disk.Try(path, "cannot be opened", () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan));
        if (stream.Length % SectorBytes != HashBytes)
        {
            if (isRequired)
                throw new StorageException($"{path}: the hash behind the snapshot is missing: the file was cut off, or copied out of a data directory; take another snapshot, or give --skip-hash-check for such a copy");
            return;
        }
        var found = Disk.Try(path, "cannot be read", () => Hash(stream, stream.Length - HashBytes));
        var expected = new byte[HashBytes];
        Disk.Try(path, "cannot be read", () => stream.ReadExactly(expected));
        if (!found.AsSpan().SequenceEqual(expected))
            throw new StorageException($"{path}: expected sha256 {Convert.ToHexStringLower(expected)}, got {Convert.ToHexStringLower(found)}: the file is damaged; copy it again, or take another snapshot");
    }

    static byte[] Hash(FileStream stream, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (var left = length; left > 0;)
        {
            var count = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            Invariant.Require(count > 0);
            hash.AppendData(buffer.AsSpan(0, count));
            left -= count;
        }
        return hash.GetHashAndReset();
    }
}
