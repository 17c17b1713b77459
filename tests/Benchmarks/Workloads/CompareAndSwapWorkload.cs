namespace Benchmarks;

/// <summary>
/// Writes as Kubernetes does: Txn If(ModRevision(key) == what I read last) Then(Put) Else(Range key). Every slot has keys of its own, so no swap
/// ever fails; one that does takes the revision from the answer and counts as failed.
/// </summary>
sealed class CompareAndSwapWorkload : IWorkload
{
    const int KeysPerSlot = 16;

    readonly Dictionary<int, SlotKeys> slots = [];
    readonly byte[] value = Keys.Value(new Random(4));

    public string Path => "/etcdserverpb.KV/Txn";

    public int Write(int slot, Span<byte> to)
    {
        if (!slots.TryGetValue(slot, out var keys))
            slots[slot] = keys = new SlotKeys(slot);
        keys.Current = (keys.Current + 1) % KeysPerSlot;
        var key = keys.Keys[keys.Current];
        Span<byte> inner = stackalloc byte[Benchmarks.Keys.KeyBytes + Benchmarks.Keys.ValueBytes + 32];
        Span<byte> operation = stackalloc byte[inner.Length + 8];
        var message = new ProtobufWriter(to);

        var compare = new ProtobufWriter(inner);
        compare.Number(2, 2); // target: MOD; the result EQUAL is zero
        compare.Bytes(3, key);
        compare.Number(6, keys.ModRevision[keys.Current]);
        message.Bytes(1, inner[..compare.Length]);

        var put = new ProtobufWriter(inner);
        put.Bytes(1, key);
        put.Bytes(2, value);
        var then = new ProtobufWriter(operation);
        then.Bytes(2, inner[..put.Length]);
        message.Bytes(2, operation[..then.Length]);

        var range = new ProtobufWriter(inner);
        range.Bytes(1, key);
        var orElse = new ProtobufWriter(operation);
        orElse.Bytes(1, inner[..range.Length]);
        message.Bytes(3, operation[..orElse.Length]);
        return message.Length;
    }

    public bool Accept(int slot, ReadOnlySpan<byte> head, int length)
    {
        var keys = slots[slot];
        var succeeded = false;
        long revision = 0;
        long found = 0;
        var response = new ProtobufReader(head);
        while (response.Next())
        {
            switch (response.Field)
            {
                case 1:
                    revision = NumberIn(response.Content, 3);
                    break;
                case 2:
                    succeeded = response.Number != 0;
                    break;
                case 3:
                    // ResponseOp { response_range { kvs { mod_revision } } }
                    found = NumberIn(ContentOf(ContentOf(response.Content, 1), 2), 3);
                    break;
            }
        }
        keys.ModRevision[keys.Current] = succeeded ? revision : found;
        return succeeded;
    }

    static long NumberIn(ReadOnlySpan<byte> message, int field)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == field)
                return (long)reader.Number;
        }
        return 0;
    }

    static ReadOnlySpan<byte> ContentOf(ReadOnlySpan<byte> message, int field)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == field)
                return reader.Content;
        }
        return [];
    }

    sealed class SlotKeys(int slot)
    {
        public readonly byte[][] Keys = [.. Enumerable.Range(0, KeysPerSlot).Select(n => Benchmarks.Keys.Make("cas", (slot * KeysPerSlot) + n))];
        public readonly long[] ModRevision = new long[KeysPerSlot];
        public int Current;
    }
}
