using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Store.Raft;

namespace Store.Storage;

/// <summary>A checkpoint of the state that can be sent any number of times. Dispose it when the last sending is over: it holds disk space.</summary>
public sealed class OutgoingSnapshot : IDisposable
{
    const int PieceBytes = 64 << 10;

    readonly string folder;
    readonly List<SnapshotPart> parts;

    internal OutgoingSnapshot(string folder, SnapshotMetadata metadata)
    {
        this.folder = folder;
        Metadata = metadata;
        parts = [.. new DirectoryInfo(folder).GetFiles()
            .Where(file => IsState(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new SnapshotPart(file.Name, file.Length, 0))];
    }

    public SnapshotMetadata Metadata { get; }

    public long SizeBytes => parts.Sum(part => part.SizeBytes);

    /// <summary>
    /// The pieces in order, at most 64 KiB each; the memory of each belongs to the receiver. Each is to be sent as a message of its own, and given to
    /// <see cref="SnapshotStore.ReceiveAsync"/> on the other side as it is.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPiecesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var number = 0u;
        yield return SnapshotPiece.Make(SnapshotPieceKind.Begin, number++, Begin());
        foreach (var part in parts)
        {
            var path = Path.Combine(folder, part.Name);
            using var file = Disk.Try(path, "cannot be opened", () => File.OpenHandle(path, options: FileOptions.Asynchronous | FileOptions.SequentialScan));
            var crc = Crc32C.Start;
            for (long at = 0; at < part.SizeBytes;)
            {
                var piece = new byte[SnapshotPiece.HeaderBytes + (int)Math.Min(PieceBytes - SnapshotPiece.HeaderBytes, part.SizeBytes - at)];
                var content = piece.AsMemory(SnapshotPiece.HeaderBytes);
                if (await RandomAccess.ReadAsync(file, content, at, cancellationToken) != content.Length)
                    throw new StorageException($"{path}: offset {at}: the file became shorter while it was sent");
                crc = Crc32C.Add(crc, content.Span);
                at += content.Length;
                SnapshotPiece.Finish(piece, SnapshotPieceKind.Data, number++);
                yield return piece;
            }
            yield return SnapshotPiece.Make(SnapshotPieceKind.PartEnd, number++, Little(Crc32C.Finish(crc)));
        }
        yield return SnapshotPiece.Make(SnapshotPieceKind.End, number, []);
    }

    static byte[] Little(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    byte[] Begin()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in SnapshotFile.MetadataLines(Metadata)) text.Append(name).Append(' ').Append(value).Append('\n');
        foreach (var part in parts) text.Append($"part 0 {part.SizeBytes} {part.Name}\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>What RocksDB writes beside the state is of no use elsewhere.</summary>
    static bool IsState(string name) => name is not "LOCK" and not "LOG" and not "IDENTITY" && !name.StartsWith("LOG.old", StringComparison.Ordinal);

    public void Dispose() => StateFolders.Remove(folder);
}
