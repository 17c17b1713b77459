using Store.Raft;

namespace Store.State;

/// <content>What a copy of the engine stands for.</content>
public sealed partial class StateMachine
{
    /// <summary>The point in the log that the engine's rows are the state of, read without opening it: for a checkpoint made beside the writer.</summary>
    public static SnapshotMetadata PointOf(IKeyValueEngine engine)
    {
        var applied = engine.Get(Table.Meta, MetaKeys.Applied) is { } row ? AppliedState.Decode(row) : AppliedState.New;
        var members = new ClusterTable(new());
        members.Restore(engine);
        return new(new(applied.Index), new(applied.Term), members.Config);
    }
}
