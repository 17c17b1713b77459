using System.Diagnostics;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;

namespace Store.Server;

/// <summary>
/// The part of the warm-up that requests cannot do without leaving a trace: puts are applied to a state of their own, in memory, which is then
/// forgotten. Without it the first twenty thousand puts of a process cost twice the CPU of those after them.
/// </summary>
static class ScratchWrites
{
    const int Keys = 500, BatchSize = 16, ValueBytes = 256;

    /// <summary>Until the time is up or the token is cancelled; blocks.</summary>
    public static void Run(TimeSpan duration, CancellationToken cancellationToken)
    {
        var state = StateMachine.Open(new MemoryEngine(), new StateOptions { ValueCacheBytes = 4 << 20, EventTailBytes = 1 << 20 });
        var value = ByteString.CopyFrom(new byte[ValueBytes]);
        var started = Stopwatch.GetTimestamp();
        var batch = new List<Entry>(BatchSize);
        for (var index = state.Applied.Next; Stopwatch.GetElapsedTime(started) < duration && !cancellationToken.IsCancellationRequested; index = index.Next)
        {
            var key = ByteString.CopyFromUtf8($"/scratch/{index.Value % Keys:d4}");
            var put = new PutRequest { Key = key, Value = value };
            var command = index.Value % 2 == 0 ? new Command { Put = put } : new Command { Txn = Swap(key, put) };
            command.RequestId = index.Value;
            state.Seal(command, LeaseId.None);
            batch.Add(new(new Term(1), index, EntryKind.Normal, command.ToByteArray()));
            if (batch.Count < BatchSize) continue;
            foreach (var result in state.Apply(batch)) _ = result.Response?.CalculateSize();
            batch.Clear();
            if (index.Value % 10_000 == 0) Thread.Sleep(1); // The JIT wants a core, too.
        }
    }

    /// <summary>As Kubernetes writes: compare, then put or read.</summary>
    static TxnRequest Swap(ByteString key, PutRequest put) => new()
    {
        Compare = { new Compare { Key = key, Target = Compare.Types.CompareTarget.Mod, Result = Compare.Types.CompareResult.NotEqual, ModRevision = 1 } },
        Success = { new RequestOp { RequestPut = put } },
        Failure = { new RequestOp { RequestRange = new RangeRequest { Key = key } } },
    };
}
