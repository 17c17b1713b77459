using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Store.Raft;

namespace Store.Storage;

/// <summary>Takes the pieces of one snapshot and writes them to a folder. Nothing is believed: order, names, sizes and checksums are verified.</summary>
sealed class SnapshotReceiver(string folder) : IDisposable
{
    /// <summary>Synced as it comes in, so that the log's syncs do not have to wait for a pile of somebody else's pages.</summary>
    const long UnsyncedBytesMax = 8 << 20;

    readonly List<SnapshotPart> expected = [];
    readonly List<SnapshotPart> received = [];
    SnapshotMetadata? metadata;
    SafeFileHandle? file;
    uint pieces;
    uint crc;
    long offset;
    long synced;

    /// <summary>Set when everything has arrived and is durable.</summary>
    internal SnapshotMetadata? Completed { get; private set; }

    /// <summary>The folder has an owner from here on.</summary>
    internal bool IsHandedOver { get; set; }

    internal void Take(ReadOnlySpan<byte> piece)
    {
        var kind = SnapshotPiece.Check(piece, pieces);
        if (kind is null) throw Broken("is damaged, missing or out of order");
        if (Completed is not null || (metadata is null) != (kind == SnapshotPieceKind.Begin)) throw Broken("does not belong here");
        var content = piece[SnapshotPiece.HeaderBytes..];
        switch (kind)
        {
            case SnapshotPieceKind.Begin:
                Begin(content);
                break;
            case SnapshotPieceKind.Data:
                Append(content);
                break;
            case SnapshotPieceKind.PartEnd:
                EndPart(content);
                break;
            case SnapshotPieceKind.End:
                Complete();
                break;
            default:
                throw Broken($"is of the unknown kind {(int)kind}; the sender's version is newer");
        }
        pieces++;
    }

    void Begin(ReadOnlySpan<byte> content)
    {
        var lines = CheckedText.Parse("the snapshot's header", Encoding.UTF8.GetString(content));
        lines.RequireFormat(SnapshotFile.Format);
        metadata = SnapshotFile.ReadMetadata(lines);
        foreach (var line in lines.All("part"))
        {
            var words = line.Split(' ', 3);
            if (words.Length != 3 || !IsPlainName(words[2]) || expected.Exists(part => part.Name == words[2])) throw Broken($"names the file '{words[^1]}'");
            expected.Add(new(words[2], (long)lines.Parse(words[1]), 0));
        }
        Disk.CreateFolder(folder);
        OpenPart();
    }

    static bool IsPlainName(string name) =>
        name.Length is > 0 and < 100 && name != SnapshotFile.Name && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    void OpenPart()
    {
        if (received.Count == expected.Count) return;
        var path = PartPath;
        file = Disk.Try(path, "cannot be created", () => File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write));
        (crc, offset, synced) = (Crc32C.Start, 0, 0);
    }

    string PartPath => Path.Combine(folder, expected[received.Count].Name);

    void Append(ReadOnlySpan<byte> content)
    {
        if (file is null || content.Length > expected[received.Count].SizeBytes - offset) throw Broken("has more bytes than were announced");
        try
        {
            RandomAccess.Write(file, content, offset);
        }
        catch (IOException e)
        {
            throw new StorageException($"{PartPath}: offset {offset}: cannot write: {e.Message}", e);
        }
        crc = Crc32C.Add(crc, content);
        offset += content.Length;
        if (offset - synced < UnsyncedBytesMax) return;
        Disk.DataSync(file, PartPath);
        synced = offset;
    }

    void EndPart(ReadOnlySpan<byte> content)
    {
        if (file is null || offset != expected[received.Count].SizeBytes) throw Broken($"ends a file after {offset} bytes");
        if (content.Length != sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(content) != Crc32C.Finish(crc)) throw Broken("ends a file with another checksum");
        Disk.DataSync(file, PartPath);
        file.Dispose();
        file = null;
        received.Add(expected[received.Count] with { Crc = Crc32C.Finish(crc) });
        OpenPart();
    }

    /// <summary>The file "snapshot" comes last, durably, behind the names of all parts: a folder that has it is complete.</summary>
    void Complete()
    {
        if (received.Count != expected.Count) throw Broken("ends the snapshot before its last file");
        Disk.SyncFolder(folder);
        new SnapshotFile(metadata!, received).Write(folder);
        Completed = metadata;
    }

    StorageException Broken(string what) => new($"the received snapshot cannot be used: piece {pieces} {what}; the leader sends it again");

    public void Dispose()
    {
        file?.Dispose();
        if (!IsHandedOver && Directory.Exists(folder)) StateFolders.Remove(folder);
    }
}
