using Google.Protobuf;
using Store.Protocol.V3electionpb;
using Store.Protocol.V3lockpb;

namespace EndToEnd.Tests;

/// <summary>Requests to the lock and the election service. Their keys lie among the others, so that a wide delete takes them away from their holders.</summary>
sealed class LineRequests(Random random)
{
    /// <summary>All keys of lines lie from here on, before "z".</summary>
    public static readonly ByteString FirstName = ByteString.CopyFromUtf8("lock");

    static readonly ByteString[] Names = [.. new[] { "lock", "mutex", "office", "vote" }.Select(ByteString.CopyFromUtf8)];

    /// <param name="lease">A caller without one is given one of 60 seconds: time would decide what becomes of that.</param>
    public Step Next(Knowledge known, long lease) => random.Next(100) switch
    {
        // Behind the door nobody could clear the way but root.
        < 30 when Clearable(known) => new Step.Acquire(new LockRequest { Name = Name(), Lease = lease }),
        < 30 => new Step.Unary(new LeaderRequest { Name = Name() }),
        < 45 => new Step.Unary(new UnlockRequest { Key = Lock(known) }),
        < 65 when Clearable(known) => new Step.Acquire(new CampaignRequest { Name = Name(), Lease = lease, Value = Value() }),
        < 75 => new Step.Unary(new ProclaimRequest { Leader = Office(known), Value = Value() }),
        < 85 => new Step.Unary(new LeaderRequest { Name = Name() }),
        < 92 when Clearable(known) => new Step.Observe(Name(), Office(known), Value()),
        _ => new Step.Unary(new ResignRequest { Leader = Office(known) }),
    };

    static bool Clearable(Knowledge known) => !known.AuthEnabled || known.LoggedIn.Contains(Concurrency.Overseer);

    ByteString Name() => Names[random.Next(Names.Length)];

    ByteString Value() => ByteString.CopyFromUtf8($"v{random.Next(10)}");

    ByteString Lock(Knowledge known) => known.Locks.Count > 0 ? known.Locks[^(1 + random.Next(Math.Min(4, known.Locks.Count)))] : Names[0];

    LeaderKey Office(Knowledge known) => known.Offices.Count > 0
        ? known.Offices[^(1 + random.Next(Math.Min(4, known.Offices.Count)))]
        : new LeaderKey { Name = Names[2], Key = ByteString.CopyFromUtf8("office/7"), Lease = 7, Rev = 3 };
}
