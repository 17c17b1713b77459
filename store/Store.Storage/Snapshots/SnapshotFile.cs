using Store.Raft;

namespace Store.Storage;

/// <summary>One file of a snapshot.</summary>
readonly record struct SnapshotPart(string Name, long SizeBytes, uint Crc);

/// <summary>
/// The file "snapshot" in an engine folder that was received: what it stands for, and its parts. It is written last: a folder that has it is complete.
/// <code>
/// format 1
/// index 500
/// term 3
/// voter 8e9e05c52164694d
/// learner 91bc3c398fb3c146
/// part 3f2a99c1 4194304 000012.sst
/// crc32c 1f2e3d4c
/// </code>
/// </summary>
sealed record SnapshotFile(SnapshotMetadata Metadata, IReadOnlyList<SnapshotPart> Parts)
{
    internal const ulong Format = 1;
    internal const string Name = "snapshot";

    internal void Write(string folder) => CheckedText.Write(Path.Combine(folder, Name), Lines());

    /// <summary>Null when the folder has none.</summary>
    internal static SnapshotFile? Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (CheckedText.Read(path) is not { } lines) return null;
        lines.RequireFormat(Format);
        var parts = lines.All("part").Select(line => ReadPart(lines, line)).ToList();
        return new(ReadMetadata(lines), parts);
    }

    /// <summary>Checks that the parts are all there in their full size; RocksDB checks what is in them.</summary>
    internal void RequireWhole(string folder)
    {
        foreach (var part in Parts)
        {
            var file = new FileInfo(Path.Combine(folder, part.Name));
            if (!file.Exists || file.Length != part.SizeBytes)
                throw new StorageException($"{file.FullName}: the received snapshot is not whole any more; remove this member from its cluster, empty its data directory and add it again");
        }
    }

    internal static IEnumerable<(string, string)> MetadataLines(SnapshotMetadata metadata) =>
    [
        ("format", $"{Format}"), ("index", $"{metadata.Index}"), ("term", $"{metadata.Term}"),
        .. metadata.Config.Voters.Select(voter => ("voter", $"{voter}")), .. metadata.Config.Learners.Select(learner => ("learner", $"{learner}")),
    ];

    internal static SnapshotMetadata ReadMetadata(CheckedLines lines) => new(
        new(lines.Number("index")), new(lines.Number("term")), new([.. Nodes(lines, "voter")], [.. Nodes(lines, "learner")]));

    static IEnumerable<NodeId> Nodes(CheckedLines lines, string role) =>
        lines.All(role).Select(value => new NodeId(lines.Parse(value, hexadecimal: true)));

    IEnumerable<(string, string)> Lines() =>
        [.. MetadataLines(Metadata), .. Parts.Select(part => ("part", $"{part.Crc:x8} {part.SizeBytes} {part.Name}"))];

    static SnapshotPart ReadPart(CheckedLines lines, string line)
    {
        var words = line.Split(' ', 3);
        return new(words[^1], (long)lines.Parse(words[1]), (uint)lines.Parse(words[0], hexadecimal: true));
    }
}
