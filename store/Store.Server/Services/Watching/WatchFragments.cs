namespace Store.Server;

/// <summary>Some of a response's events: from <paramref name="First"/>, <paramref name="Count"/> of them.</summary>
readonly record struct WatchFragment(int First, int Count, bool More);

/// <summary>
/// How a response is cut when its watcher allows it, as etcd does it: not at all while it stays below the limit or has a single event; else each
/// fragment takes events as long as it stays below the limit, and at least one. All but the last say that more follows.
/// </summary>
static class WatchFragments
{
    /// <param name="envelopeBytes">The response without events, and without the field that says that more follows.</param>
    /// <param name="fieldBytes">What each event takes in the response, its tag and length included.</param>
    public static IEnumerable<WatchFragment> Cut(long envelopeBytes, IReadOnlyList<long> fieldBytes, long limit)
    {
        const int MoreBytes = 2;
        var total = envelopeBytes + fieldBytes.Sum();
        if (total < limit || fieldBytes.Count < 2)
        {
            yield return new(0, fieldBytes.Count, false);
            yield break;
        }
        for (var first = 0; first < fieldBytes.Count;)
        {
            var count = 1;
            var size = envelopeBytes + MoreBytes + fieldBytes[first];
            while (first + count < fieldBytes.Count && size + fieldBytes[first + count] < limit) size += fieldBytes[first + count++];
            yield return new(first, count, first + count < fieldBytes.Count);
            first += count;
        }
    }
}
