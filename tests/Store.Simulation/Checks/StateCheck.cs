using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Mvccpb;
using Store.Raft;
using Store.State;

namespace Store.Simulation;

/// <summary>Convergence: at the end every member holds what the model holds, and all say so with the same hash.</summary>
static class StateCheck
{
    static readonly RangeRequest Everything = new() { Key = ByteString.CopyFrom(0), RangeEnd = ByteString.CopyFrom(0) };

    public static void Same(IReadOnlyList<SimMember> members, ModelStore model)
    {
        var hashes = new HashSet<(uint, Revision, Revision)>();
        foreach (var member in members)
        {
            var view = member.Replica.State.View;
            if (view.Revision != model.Revision) throw new SimulationFailureException($"{member.Id} stands at revision {view.Revision}, the model at {model.Revision}");
            if (view.Compacted.Value != model.Compacted) throw new SimulationFailureException($"{member.Id} is compacted at {view.Compacted}, the model at {model.Compacted}");
            var rows = view.Range(Everything).KeyValues.Select(row => KeyValue.Parser.ParseFrom(row.Span));
            if (!rows.SequenceEqual(model.Live.Values)) throw new SimulationFailureException($"{member.Id} holds other keys than the model");
            if (!member.Cluster.Members.Keys.SequenceEqual(model.Members.Select(id => new NodeId(id)))) throw new SimulationFailureException($"{member.Id} knows other members than the log tells of");
            while (member.Replica.State.CompactSome(1000)) { }
            var hash = member.Replica.State.View.HashKv(view.Revision);
            if (hash.Error != StoreError.None) throw new SimulationFailureException($"{member.Id} has no hash at {view.Revision}: {hash.Error}");
            hashes.Add((hash.Hash, hash.Compacted, hash.HashRevision));
        }
        if (hashes.Count > 1) throw new SimulationFailureException($"members differ in their hashes: {string.Join(", ", hashes)}");
    }
}
