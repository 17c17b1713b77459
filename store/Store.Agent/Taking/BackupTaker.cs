using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Store.Protocol.Backup;

namespace Store.Agent;

/// <summary>
/// Takes one backup: brings the member's copy into scratch as fast as it comes, then stores it from there. A target that is slow or does not answer costs the
/// member nothing: it holds its view of the state only as long as the copy takes.
/// </summary>
/// <param name="fullRateLimit">Bytes a second for full backups; 0 for no limit.</param>
public sealed class BackupTaker(MemberClient member, BackupWriter writer, string scratch, long fullRateLimit, TimeProvider time)
{
    const int PieceBytes = 1 << 20;

    /// <param name="newest">What the backups end with; the new one belongs to the same history if it goes on from there.</param>
    /// <param name="begun">Is told what it will be as soon as that is known, long before it is there: deltas can go on from it.</param>
    public async Task<Manifest> FullAsync(Manifest? newest, Action<Manifest> begun, CancellationToken cancellationToken)
    {
        using var copy = await member.CopyAsync(newest?.To ?? 0, whole: true, withHash: false, fullRateLimit, cancellationToken)
            ?? throw new BackupException(BackupFailure.Member, "the member refused a whole copy");
        var draft = Draft(copy.Head);
        if (newest is not null && GoesOn(copy.Head, newest)) draft = draft with { History = newest.History };
        begun(draft);
        return await StoreAsync(copy, draft, new(fullRateLimit, time), cancellationToken);
    }

    /// <param name="withHash">For a drill that is to compare it.</param>
    /// <returns>Null when the member's history does not go on from there; a full backup does.</returns>
    public async Task<Manifest?> DeltaAsync(Manifest after, bool withHash, CancellationToken cancellationToken)
    {
        using var copy = await member.CopyAsync(after.To, whole: false, withHash, rateLimit: 0, cancellationToken);
        return copy is not null && GoesOn(copy.Head, after)
            ? await StoreAsync(copy, Draft(copy.Head) with { Kind = BackupKind.Delta, From = after.To, History = after.History }, Pace.None, cancellationToken)
            : null;
    }

    internal static string NewId(DateTimeOffset now) => BackupName.NewId(now, BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))));

    /// <summary>
    /// A cluster that was put back to a snapshot may have the same id and, in time, the same revisions with other content. Each revision takes an entry of the log at
    /// least, and what the shared revision changed must be the same.
    /// </summary>
    static bool GoesOn(CopyHead head, Manifest after) =>
        BackupName.Cluster(head.ClusterId) == after.ClusterId && head.HasAfterMark && head.AfterMark == after.Mark
        && head.AppliedIndex >= after.AppliedIndex + (ulong)(head.Revision - after.To);

    async Task<Manifest> StoreAsync(MemberCopy copy, Manifest draft, Pace pace, CancellationToken cancellationToken)
    {
        var path = Path.Combine(scratch, draft.Id + ".copy");
        try
        {
            await SaveAsync(copy, path, pace, cancellationToken);
            return await writer.WriteAsync(draft, PiecesOf(path, cancellationToken), pace, cancellationToken);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A full one, and the first of its history.</summary>
    Manifest Draft(CopyHead head)
    {
        var id = NewId(time.GetUtcNow());
        return new()
        {
            Format = Manifest.KnownFormat,
            Id = id,
            History = id,
            Kind = BackupKind.Full,
            ClusterId = BackupName.Cluster(head.ClusterId),
            MemberId = BackupName.Cluster(head.MemberId),
            From = 0,
            To = head.Revision,
            Compacted = head.CompactRevision,
            AppliedIndex = head.AppliedIndex,
            Mark = head.Mark,
            KvHash = head.HasKvHash ? head.KvHash : null,
            Points = [new(head.Revision, DateTimeOffset.FromUnixTimeMilliseconds(head.TimeMs))],
            PlainBytes = head.SizeBytes,
            Parts = [],
            Version = head.Version,
        };
    }

    static async Task SaveAsync(MemberCopy copy, string path, Pace pace, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, PieceBytes);
            await foreach (var blob in copy.ReadAsync(cancellationToken))
            {
                await file.WriteAsync(blob, cancellationToken);
                await pace.PassAsync(blob.Length, cancellationToken);
            }
        }
        catch (IOException e)
        {
            throw new BackupException(BackupFailure.Full, $"{path}: the member's copy cannot be kept: {e.Message}; give --scratch-dir more space than the store takes", e);
        }
    }

    static async IAsyncEnumerable<ReadOnlyMemory<byte>> PiecesOf(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var piece = new byte[PieceBytes];
        while (await file.ReadAsync(piece, cancellationToken) is > 0 and var count) yield return piece.AsMemory(0, count);
    }
}
