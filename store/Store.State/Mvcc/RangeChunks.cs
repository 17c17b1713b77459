using Store.Protocol.Etcdserverpb;
using SortOrder = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortOrder;
using SortTarget = Store.Protocol.Etcdserverpb.RangeRequest.Types.SortTarget;

namespace Store.State;

/// <summary>One message of a RangeStream.</summary>
/// <param name="KeyValues">Encoded mvccpb.KeyValue messages.</param>
/// <param name="KeyValueBytes">What they take as fields of the message.</param>
/// <param name="IsLast">Header, <paramref name="More"/> and <paramref name="Count"/> go on the wire with the last chunk alone.</param>
/// <param name="Count">Keys of the whole range, as a unary Range counts them.</param>
public sealed record RangeChunk(IReadOnlyList<ReadOnlyMemory<byte>> KeyValues, long KeyValueBytes, bool IsLast, bool More, long Count);

/// <summary>
/// Cuts a range into the chunks of a RangeStream by etcd's rules (contract 1.2): ten keys first, then twice as many while a chunk is under half of the
/// target, half as many when it was over twice the target. All chunks are of one revision, and merged they are the unary answer.
/// </summary>
/// <remarks>
/// Unlike etcd's, a chunk ends once it is over twice the target: thousands of small keys in front of large ones would else make a chunk of gigabytes.
/// </remarks>
public sealed class RangeChunks
{
    const long FirstLimit = 10;

    readonly RangePages pages;
    readonly bool countOnly;
    readonly long targetBytes;
    long limit = FirstLimit;
    long left;
    long sent;
    bool ended;

    RangeChunks(RangePages pages, RangeRequest request, long targetBytes)
    {
        this.pages = pages;
        this.targetBytes = targetBytes;
        countOnly = request.CountOnly;
        left = request.Limit > 0 ? request.Limit : long.MaxValue;
    }

    /// <summary>What can be said of the request by itself: KeyNotProvided, InvalidSortOption, StreamSorted, StreamFiltered.</summary>
    public static StoreError Check(RangeRequest request)
    {
        if (RequestValidation.CheckRange(request) is not StoreError.None and var error) return error;
        var isSorted = request.SortOrder != SortOrder.None && (request.SortOrder, request.SortTarget) != (SortOrder.Ascend, SortTarget.Key);
        if (isSorted) return StoreError.StreamSorted;
        return RangeReader.HasFilters(request) ? StoreError.StreamFiltered : StoreError.None;
    }

    /// <summary>Compacted, FutureRevision. The request was checked by <see cref="Check"/>; the view must stay pinned while chunks are read.</summary>
    /// <param name="targetBytes">The size of a chunk to come near to: the largest request.</param>
    public static StoreError Begin(PinnedView view, RangeRequest request, long targetBytes, out RangeChunks? chunks)
    {
        var error = view.Reader.Check(request.Revision);
        chunks = error == StoreError.None ? new(new(view.Reader, request), request, targetBytes) : null;
        return error;
    }

    /// <summary>Null behind the last one.</summary>
    public RangeChunk? Next()
    {
        if (ended) return null;
        if (countOnly)
        {
            ended = true;
            return new([], 0, IsLast: true, More: false, pages.CountLeft);
        }
        var keyValues = pages.Next(Math.Min(limit, left), 2 * targetBytes, out var bytes);
        sent += keyValues.Count;
        left -= keyValues.Count;
        ended = !pages.More || left == 0;
        limit = NextLimit(bytes);
        return new(keyValues, bytes, ended, pages.More, ended ? sent + pages.CountLeft : 0);
    }

    long NextLimit(long bytes) =>
        bytes < targetBytes / 2 ? limit * 2
        : bytes > targetBytes * 2 ? Math.Max(limit / 2, 1)
        : limit;
}
