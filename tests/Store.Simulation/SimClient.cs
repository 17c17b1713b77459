using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;

namespace Store.Simulation;

/// <summary>A client: one request at a time, at any member, and no longer than its patience lasts.</summary>
sealed class SimClient(World world, int number)
{
    static readonly string[] Keys = ["a", "b", "c", "d"];

    readonly Dictionary<string, long> lastSeen = new(StringComparer.Ordinal);
    readonly List<long> leases = [];
    bool stopped;
    int asked;

    public void Start() => world.Schedule.After(world.Random.Next(500_000), Ask);

    public void Stop() => stopped = true;

    void Ask()
    {
        if (stopped) return;
        var up = world.UpMembers;
        if (up.Count == 0)
        {
            world.Schedule.After(100_000, Ask);
            return;
        }
        asked++;
        var member = up[world.Random.Next(up.Count)];
        var operation = world.Random.Next(3) == 0 ? Read(member) : Write(member);
        if (operation.Answered is not null) Think();
    }

    Operation Read(SimMember member)
    {
        var operation = world.History.Ask(world.Schedule.Step, new RangeRequest { Key = Key() });
        if (world.Options.Bug == Bug.ReadWithoutQuorum && member.Replica.IsLeader)
        {
            world.History.Read(world.Schedule.Step, member, operation);
            return operation;
        }
        Wait(operation);
        member.Do(() => member.Replica.Read(operation.Id));
        return operation;
    }

    Operation Write(SimMember member)
    {
        var operation = world.History.Ask(world.Schedule.Step, NextCommand());
        Wait(operation);
        member.Propose(operation.Command!);
        return operation;
    }

    void Wait(Operation operation)
    {
        var over = false;
        void Finish()
        {
            if (over) return;
            over = true;
            world.History.GiveUp(operation);
            Learn(operation);
            // Not within the member's turn: that one is still busy with its answers.
            world.Schedule.After(0, Think);
        }
        operation.Finished = Finish;
        world.Schedule.After(world.Random.Next(1_000_000, 8_000_000), Finish);
    }

    void Think() => world.Schedule.After(world.Random.Next(world.Random.Next(4) == 0 ? 300_000 : 20_000), Ask);

    void Learn(Operation operation)
    {
        if (operation.Reply.Result is not { Response: { } response } || operation.Command is null) return;
        switch (response)
        {
            case PutResponse put:
                lastSeen[operation.Command.Put.Key.ToStringUtf8()] = put.Header.Revision;
                break;
            case TxnResponse { Succeeded: true } txn:
                lastSeen[operation.Command.Txn.Compare[0].Key.ToStringUtf8()] = txn.Header.Revision;
                break;
            case TxnResponse { Responses: [{ ResponseRange.Kvs: [var found] }] }:
                lastSeen[found.Key.ToStringUtf8()] = found.ModRevision;
                break;
            case LeaseGrantResponse granted:
                leases.Add(granted.ID);
                break;
        }
    }

    Command NextCommand() => world.Random.Next(20) switch
    {
        < 8 => new() { Put = new() { Key = Key(), Value = Value(), PrevKv = world.Random.Next(3) == 0, Lease = world.Random.Next(5) == 0 ? Lease() : 0 } },
        < 14 => new() { Txn = CompareAndSwap() },
        < 16 => new() { DeleteRange = new() { Key = Key(), RangeEnd = world.Random.Next(3) == 0 ? ByteString.CopyFromUtf8("z") : ByteString.Empty, PrevKv = true } },
        16 => new() { Compaction = new() { Revision = Math.Max(1, world.Committed.Model.Revision.Value - world.Random.Next(-3, 30)) } },
        17 or 18 => new() { LeaseGrant = new() { ID = number * 1000 + asked + 1, TTL = world.Random.Next(1, 8) } },
        _ => new() { LeaseRevoke = new() { ID = Lease() } },
    };

    TxnRequest CompareAndSwap()
    {
        var key = Key();
        var put = new PutRequest { Key = key, Value = Value() };
        return new()
        {
            Compare = { new Compare { Key = key, Target = Compare.Types.CompareTarget.Mod, ModRevision = lastSeen.GetValueOrDefault(key.ToStringUtf8()) } },
            Success = { world.Random.Next(4) == 0 ? new RequestOp { RequestDeleteRange = new() { Key = key } } : new RequestOp { RequestPut = put } },
            Failure = { new RequestOp { RequestRange = new() { Key = key } } },
        };
    }

    long Lease() => leases.Count == 0 ? 1_000_000 : leases[world.Random.Next(leases.Count)];

    ByteString Key() => ByteString.CopyFromUtf8(Keys[world.Random.Next(Keys.Length)]);

    ByteString Value() => ByteString.CopyFromUtf8($"{number}-{asked}-{new string('x', world.Random.Next(40))}");
}
