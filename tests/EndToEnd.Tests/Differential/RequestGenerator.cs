using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;
using Store.Protocol.V3lockpb;

namespace EndToEnd.Tests;

/// <summary>
/// Random steps from a seed, valid and invalid, aimed by what is known. Never one whose answer time decides: leases live for hours, and sorting that
/// could tie happens only among as few keys as etcd sorts stably.
/// </summary>
sealed class RequestGenerator
{
    // Go's sort keeps the order of equals up to twelve elements.
    static readonly string[] FewKeys = ["a", "a/1", "a/2", "aa", "b", "b/1", "c", "\0", "k\0k", "z", "~", "~~"];

    readonly Random random;
    readonly bool wide;
    readonly bool guarded;
    readonly ByteString[] keys;
    readonly UserRequests users;
    readonly LineRequests lines;
    readonly Queue<Step> first;

    /// <param name="wide">Many keys: pages, splits and counts instead of collisions. All sequences on one cluster must be alike in this.</param>
    /// <param name="guarded">With authentication on, most of the time.</param>
    public RequestGenerator(int seed, bool wide, bool guarded)
    {
        random = new Random(seed);
        (this.wide, this.guarded) = (wide, guarded);
        keys = wide
            ? [.. Enumerable.Range(0, 400).Select(n => ByteString.CopyFromUtf8($"k{n:D3}"))]
            : [.. FewKeys.Select(ByteString.CopyFromUtf8)];
        users = new UserRequests(random, keys, guarded);
        lines = new LineRequests(random);
        first = new Queue<Step>(users.First());
    }

    public Step Next(Knowledge known)
    {
        if (first.TryDequeue(out var step))
            return step;
        if (users.Next(known) is { } aboutUsers)
            return aboutUsers;
        // While an alarm stands, most is refused: it is soon taken back.
        step = known.Alarms.Count > 0 && Chance(12) ? new Step.Unary(Deactivate(known)) : Choose(known);
        if (step is Step.Unary { Request: var request } unary && HasPlainJson(request) && Chance(7))
            step = unary with { Json = true };
        return step with { As = step is Step.Unary { Request: var asked } && UserRequests.IsOpenedLater(asked) ? UserRequests.Root : users.Asker(known) };
    }

    /// <summary>So that nothing of this sequence is in the way of the next: steps to take at its end.</summary>
    public static IEnumerable<Step> Last(Knowledge known)
    {
        if (known.AuthEnabled)
        {
            yield return new Step.Unary(new AuthenticateRequest { Name = UserRequests.Root, Password = known.Passwords[UserRequests.Root] });
            yield return new Step.Unary(new AuthDisableRequest()) { As = UserRequests.Root };
        }
        yield return new Step.WatchReset();
        // At the revision of an earlier compaction there is nothing to compact.
        if (known.Revision > known.Compacted)
            yield return new Step.Snapshot(known.Revision);
    }

    Step Choose(Knowledge known) => random.Next(1000) switch
    {
        < 4 => new Step.Unary(Alarm()),
        < 250 => new Step.Unary(Put(known)),
        < 470 => new Step.Unary(Range(known)),
        < 550 => new Step.Unary(Delete()),
        < 730 => new Step.Unary(Txn(known, depth: 0)),
        < 770 => new Step.Unary(Grant(known)),
        < 790 => new Step.Unary(new LeaseRevokeRequest { ID = LeaseOf(known) }),
        < 820 => new Step.Unary(new LeaseTimeToLiveRequest { ID = LeaseOf(known), Keys = Chance(60) }),
        < 830 => new Step.Unary(new LeaseLeasesRequest()),
        < 850 => new Step.KeepAlive(LeaseOf(known)),
        < 862 => new Step.Unary(Compact(known)),
        < 900 => WatchCreate(known),
        < 920 => WatchCancel(known),
        < 935 => new Step.WatchProgress(random.Next(Subject.FutureStream)),
        < 940 => new Step.Unary(new MemberListRequest { Linearizable = Chance(50) }),
        < 945 => new Step.Unary(new StatusRequest()),
        < 950 => new Step.Unary(HashKv(known)),
        < 997 => lines.Next(known, LeaseOf(known)),
        _ => new Step.Unary(new PutRequest { Key = Key(), Value = ByteString.CopyFrom(new byte[random.Next(1_600_000, 1_900_000)]) }),
    };

    /// <summary>JSON of which no part depends on the cluster or on time, and which is not long.</summary>
    static bool HasPlainJson(IMessage request) => request switch
    {
        PutRequest put => put.Value.Length < 100_000,
        RangeRequest or DeleteRangeRequest or TxnRequest or CompactionRequest or LeaseGrantRequest or LeaseRevokeRequest => true,
        ProclaimRequest or ResignRequest or LeaderRequest or UnlockRequest => true,
        _ => false,
    };

    bool Chance(int percent) => random.Next(100) < percent;

    ByteString Key() => Chance(1) ? ByteString.Empty : keys[random.Next(keys.Length)];

    /// <summary>Empty, everything after the key, the key's prefix, or another key, which may lie before it.</summary>
    ByteString RangeEnd(ByteString key) => random.Next(10) switch
    {
        < 4 => ByteString.Empty,
        < 6 => ByteString.CopyFrom(0),
        < 8 when key.Length > 0 => ByteString.CopyFrom([.. key.Span[..^1], (byte)(key.Span[^1] + 1)]),
        _ => AnotherEnd(key),
    };

    /// <summary>
    /// Where somebody may lack permissions, not one before the key: whether etcd refuses such a range, in which there is no key, is decided by how its tree of
    /// permissions happens to be balanced.
    /// </summary>
    ByteString AnotherEnd(ByteString key)
    {
        var end = keys[random.Next(keys.Length)];
        return guarded && end.Span.SequenceCompareTo(key.Span) < 0 ? ByteString.Empty : end;
    }

    ByteString Value() => random.Next(20) switch
    {
        0 => ByteString.Empty,
        1 => ByteString.CopyFrom(RandomBytes(random.Next(1, 4000))),
        _ => ByteString.CopyFromUtf8($"v{random.Next(10)}"),
    };

    byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Mostly the present; else somewhere from just before compaction to just after the present.</summary>
    long RevisionNear(Knowledge known) => random.Next(10) switch
    {
        < 6 => 0,
        6 => -1,
        _ => random.NextInt64(Math.Max(0, known.Compacted - 2), known.Revision + 3),
    };

    long LeaseOf(Knowledge known) => known.Leases.Count > 0 && Chance(85) ? known.Leases.ElementAt(random.Next(known.Leases.Count)) : random.Next(1, 20);

    PutRequest Put(Knowledge known)
    {
        var put = new PutRequest { Key = Key(), PrevKv = Chance(30), IgnoreLease = Chance(5), IgnoreValue = Chance(5) };
        if (!put.IgnoreValue || Chance(20))
            put.Value = Value();
        if (Chance(15))
            put.Lease = LeaseOf(known);
        return put;
    }

    DeleteRangeRequest Delete()
    {
        var key = Key();
        return new DeleteRangeRequest { Key = key, RangeEnd = Chance(60) ? ByteString.Empty : RangeEnd(key), PrevKv = Chance(40) };
    }

    /// <summary>
    /// Not "everything from this key on": etcd forgets what that end means when it looks for keys changed twice, lets a put inside of it pass, and so
    /// changes a key twice in one revision. The store refuses that as it refuses any other overlap.
    /// </summary>
    DeleteRangeRequest DeleteInTxn()
    {
        var delete = Delete();
        if (delete.RangeEnd.Span is [0])
            delete.RangeEnd = ByteString.Empty;
        return delete;
    }

    RangeRequest Range(Knowledge known)
    {
        var key = Key();
        var range = new RangeRequest
        {
            Key = key,
            RangeEnd = RangeEnd(key),
            Revision = RevisionNear(known),
            Limit = Chance(35) ? random.Next(-1, wide ? 60 : 6) : 0,
            Serializable = Chance(20),
            KeysOnly = Chance(12),
            CountOnly = Chance(10),
        };
        if (Chance(40))
            range.SortOrder = (RangeRequest.Types.SortOrder)random.Next(3);
        // Only those that exist: an unknown target makes etcd 3.5 panic, and later ones refuse it.
        if (Chance(40) && !wide)
            range.SortTarget = (RangeRequest.Types.SortTarget)random.Next(5);
        if (range.SortTarget != RangeRequest.Types.SortTarget.Key)
            range.RangeEnd = BeforeLines(key, range.RangeEnd);
        // With a target but no order etcd takes the page first and sorts then; the store sorts all and takes the page, as with any order.
        if (range.SortTarget != RangeRequest.Types.SortTarget.Key && range.SortOrder == RangeRequest.Types.SortOrder.None)
            range.Limit = 0;
        if (Chance(10))
            range.MinModRevision = random.NextInt64(known.Revision + 2);
        if (Chance(10))
            range.MaxModRevision = random.NextInt64(known.Revision + 2);
        if (Chance(10))
            range.MinCreateRevision = random.NextInt64(known.Revision + 2);
        if (Chance(10))
            range.MaxCreateRevision = random.NextInt64(known.Revision + 2);
        return range;
    }

    /// <summary>Those who stand in line are too many keys for a stable sort.</summary>
    static ByteString BeforeLines(ByteString key, ByteString end)
    {
        var first = LineRequests.FirstName;
        return key.Span.SequenceCompareTo(first.Span) < 0 && (end.Span is [0] || end.Span.SequenceCompareTo(first.Span) > 0) ? first : end;
    }

    TxnRequest Txn(Knowledge known, int depth)
    {
        var txn = new TxnRequest();
        if (depth == 0 && Chance(2) && known.Alarms.Count == 0)
        {
            TooManyOperations(txn);
            return txn;
        }
        for (var count = random.Next(depth == 0 ? 4 : 2); count > 0; count--)
            txn.Compare.Add(Comparison(known));
        for (var count = random.Next(5); count > 0; count--)
            txn.Success.Add(Operation(known, depth));
        for (var count = random.Next(4); count > 0; count--)
            txn.Failure.Add(Operation(known, depth));
        return txn;
    }

    /// <summary>One more than allowed, in one list or together with a nested transaction.</summary>
    void TooManyOperations(TxnRequest txn)
    {
        var range = new RequestOp { RequestRange = new RangeRequest { Key = keys[0] } };
        txn.Success.AddRange(Enumerable.Repeat(range, Chance(50) ? 129 : 127));
        if (txn.Success.Count == 127)
            txn.Failure.Add(new RequestOp { RequestTxn = new TxnRequest { Success = { range, range } } });
    }

    RequestOp Operation(Knowledge known, int depth) => random.Next(100) switch
    {
        < 35 => new RequestOp { RequestPut = Put(known) },
        < 65 => new RequestOp { RequestRange = Range(known) },
        < 85 => new RequestOp { RequestDeleteRange = DeleteInTxn() },
        // Under NOSPACE etcd weighs the outermost operations alone.
        < 98 when depth < 2 && known.Alarms.Count == 0 => new RequestOp { RequestTxn = Txn(known, depth + 1) },
        98 => new RequestOp(),
        _ => new RequestOp { RequestRange = new RangeRequest { Key = Key() } },
    };

    Compare Comparison(Knowledge known)
    {
        var key = Key();
        var compare = new Compare
        {
            Key = key,
            Result = (Compare.Types.CompareResult)random.Next(4),
            Target = (Compare.Types.CompareTarget)random.Next(5),
        };
        if (Chance(25))
            compare.RangeEnd = RangeEnd(key);
        // Now and then the value of another target than the one that is compared.
        switch (Chance(5) ? (Compare.Types.CompareTarget)random.Next(5) : compare.Target)
        {
            case Compare.Types.CompareTarget.Version:
                compare.Version = random.Next(4);
                break;
            case Compare.Types.CompareTarget.Create:
                compare.CreateRevision = Chance(40) ? 0 : random.NextInt64(known.Revision + 1);
                break;
            case Compare.Types.CompareTarget.Mod:
                compare.ModRevision = Chance(40) ? 0 : random.NextInt64(known.Revision + 1);
                break;
            case Compare.Types.CompareTarget.Value:
                compare.Value = Value();
                break;
            case Compare.Types.CompareTarget.Lease:
                compare.Lease = Chance(50) ? 0 : LeaseOf(known);
                break;
        }
        return compare;
    }

    LeaseGrantRequest Grant(Knowledge known) => new()
    {
        ID = Chance(10) ? LeaseOf(known) : random.Next(1, 1000),
        TTL = Chance(5) ? 9_000_000_001 : random.Next(3600, 100_000),
    };

    /// <summary>Of members that there are not: neither server takes these for its own.</summary>
    AlarmRequest Alarm() => new()
    {
        Action = (AlarmRequest.Types.AlarmAction)random.Next(3),
        MemberID = (ulong)random.Next(3),
        Alarm = Chance(85) ? AlarmType.Nospace : AlarmType.None,
    };

    static AlarmRequest Deactivate(Knowledge known)
    {
        var (member, type) = known.Alarms.Min;
        return new() { Action = AlarmRequest.Types.AlarmAction.Deactivate, MemberID = member, Alarm = type };
    }

    /// <summary>Not up to the last compaction: for these revisions etcd answers with what it has summed up while it compacted, if it is done.</summary>
    HashKVRequest HashKv(Knowledge known) => new() { Revision = Chance(60) ? 0 : random.NextInt64(known.Compacted + 1, Math.Max(known.Compacted, known.Revision) + 2) };

    CompactionRequest Compact(Knowledge known) => new()
    {
        // Never 0 the first time: what etcd then sums up it gives to all who ask for the present (0), ever after.
        Revision = random.NextInt64(known.Compacted == 0 ? 1 : known.Compacted - 1, known.Revision + 2),
        Physical = Chance(30),
    };

    Step.WatchCreate WatchCreate(Knowledge known)
    {
        var key = Key();
        var stream = random.Next(Subject.Streams);
        var request = new WatchCreateRequest
        {
            Key = key,
            RangeEnd = RangeEnd(key),
            PrevKv = Chance(40),
            Fragment = Chance(10),
            StartRevision = stream == Subject.FutureStream
                ? known.Revision + random.Next(1, 20)
                : Math.Min(RevisionNear(known), known.Revision),
        };
        // etcd 3.5 asks for permission for the first key alone, and lets the watcher hear of all (GHSA-xg4h-6gfc-h4m8).
        if (guarded && request.RangeEnd.Span is [0])
            request.RangeEnd = ByteString.Empty;
        // In etcd the id of a watch that compaction has ended stays taken; in the store it is free.
        var id = Chance(80) ? 0 : random.Next(1, 8);
        if ((request.StartRevision == 0 || request.StartRevision >= known.Compacted) && !known.IsSpent(stream, id))
            request.WatchId = id;
        if (Chance(15))
            request.Filters.Add((WatchCreateRequest.Types.FilterType)random.Next(2));
        return new Step.WatchCreate(stream, request);
    }

    Step.WatchCancel WatchCancel(Knowledge known)
    {
        var stream = random.Next(Subject.Streams);
        var live = known.LiveWatches(stream);
        return live.Count > 0 && Chance(90)
            ? new Step.WatchCancel(stream, live.ElementAt(random.Next(live.Count)), Known: true)
            : new Step.WatchCancel(stream, random.Next(1_000, 2_000), Known: false);
    }
}
