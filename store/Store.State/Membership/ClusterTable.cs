using System.Collections.Immutable;
using System.Text;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;

namespace Store.State;

/// <summary>Members, removed ids, alarms and the cluster version as applied state (contract 1.8, 1.9). Each change makes a new <see cref="View"/>.</summary>
sealed class ClusterTable(AppliedBatch batch)
{
    const byte Format = 1;

    /// <summary>The value of an alarm that was raised by <see cref="Diverge"/>; others have none.</summary>
    static ReadOnlySpan<byte> DivergedMark => [1];

    public ClusterView View { get; private set; } = ClusterView.Empty;

    public MembershipConfig Config { get; private set; } = MembershipConfig.Empty;

    /// <summary>Asked for each command.</summary>
    public bool HasAlarm(AlarmType type)
    {
        foreach (var alarm in View.Alarms)
            if (alarm.Alarm == type) return true;
        return false;
    }

    public void Restore(IKeyValueEngine engine)
    {
        IEnumerable<EngineRow> Rows(byte[] kind) => engine.Scan(Table.Meta, kind, MetaKeys.EndOf(kind));
        var version = engine.Get(Table.Meta, MetaKeys.ClusterVersion);
        View = new(
            Rows(MetaKeys.Members).Select(row => Decode(row.Value)).ToImmutableSortedDictionary(member => member.Id, member => member),
            [.. Rows(MetaKeys.RemovedMembers).Select(row => new NodeId(MetaKeys.NumberIn(row.Key)))],
            [.. Rows(MetaKeys.Alarms).Select(row => new AlarmMember { MemberID = MetaKeys.NumberIn(row.Key), Alarm = (AlarmType)row.Key[^1] })],
            version is null ? "" : Encoding.ASCII.GetString(version))
        {
            DowngradeTarget = engine.Get(Table.Meta, MetaKeys.DowngradeTarget) is { } target ? Encoding.ASCII.GetString(target) : "",
            Diverged = [.. Rows(MetaKeys.Alarms).Where(row => row.Value.AsSpan().SequenceEqual(DivergedMark)).Select(row => new NodeId(MetaKeys.NumberIn(row.Key)))],
        };
        FollowConfig();
    }

    /// <summary>
    /// Takes over what consensus has already done to its configuration: what may be done at all was checked before it was proposed.
    /// </summary>
    public void Apply(ConfigChangeKind kind, NodeId id, Member? described)
    {
        var known = View.Members.GetValueOrDefault(id);
        switch (kind)
        {
            case ConfigChangeKind.Remove:
                Remove(id);
                break;
            case ConfigChangeKind.Update when known is not null && described is not null:
                Save(known with { PeerUrls = [.. described.PeerURLs] });
                break;
            case ConfigChangeKind.Promote when known is not null:
                Save(known with { IsLearner = false });
                break;
            case ConfigChangeKind.AddVoter or ConfigChangeKind.AddLearner:
                var isLearner = kind == ConfigChangeKind.AddLearner;
                var urls = described?.PeerURLs ?? [];
                // The first members of a cluster are named by its flags; others tell their names when they start.
                Save(known is null ? new(id, described?.Name ?? "", [.. urls], [], isLearner, "") : known with { IsLearner = isLearner, PeerUrls = [.. urls] });
                break;
        }
        FollowConfig();
    }

    /// <summary>A member that was removed meanwhile is no member again by telling its name.</summary>
    public void SetAttributes(MemberAttributes attributes)
    {
        if (View.Members.GetValueOrDefault(new(attributes.MemberId)) is not { } member) return;
        Save(member with { Name = attributes.Name, ClientUrls = [.. attributes.ClientUrls], Version = attributes.Version });
    }

    public void SetVersion(string version)
    {
        batch.Put(Table.Meta, MetaKeys.ClusterVersion, Encoding.ASCII.GetBytes(version));
        View = View with { Version = version };
    }

    /// <summary>Empty: no longer.</summary>
    public void SetDowngradeTarget(string version)
    {
        if (version.Length > 0) batch.Put(Table.Meta, MetaKeys.DowngradeTarget, Encoding.ASCII.GetBytes(version));
        else batch.Delete(Table.Meta, MetaKeys.DowngradeTarget);
        View = View with { DowngradeTarget = version };
    }

    /// <summary>False when it stood already.</summary>
    public bool Raise(NodeId member, AlarmType type) => Raise(member, type, mark: []);

    /// <summary>The member's state is not what the others' is: CORRUPT in its name, for itself alone.</summary>
    public void Diverge(NodeId member)
    {
        if (View.Members.ContainsKey(member) && Raise(member, AlarmType.Corrupt, DivergedMark)) View = View with { Diverged = View.Diverged.Add(member) };
    }

    /// <summary>The member agrees with the others again. An alarm that was raised by hand stays.</summary>
    public void Converge(NodeId member)
    {
        if (View.Diverged.Contains(member)) Clear(member, AlarmType.Corrupt);
    }

    bool Raise(NodeId member, AlarmType type, ReadOnlySpan<byte> mark)
    {
        if (View.Alarms.Any(alarm => alarm.MemberID == member.Value && alarm.Alarm == type)) return false;
        batch.Put(Table.Meta, MetaKeys.Alarm(member, (int)type), mark.ToArray());
        AlarmMember[] all = [.. View.Alarms, new() { MemberID = member.Value, Alarm = type }];
        View = View with { Alarms = [.. all.OrderBy(alarm => alarm.MemberID).ThenBy(alarm => alarm.Alarm)] };
        return true;
    }

    /// <summary>False when there was none.</summary>
    public bool Clear(NodeId member, AlarmType type)
    {
        var left = View.Alarms.RemoveAll(alarm => alarm.MemberID == member.Value && alarm.Alarm == type);
        if (left.Length == View.Alarms.Length) return false;
        batch.Delete(Table.Meta, MetaKeys.Alarm(member, (int)type));
        View = View with { Alarms = left, Diverged = type == AlarmType.Corrupt ? View.Diverged.Remove(member) : View.Diverged };
        return true;
    }

    void Save(ClusterMember member)
    {
        batch.Put(Table.Meta, MetaKeys.Member(member.Id), Encode(member));
        View = View with { Members = View.Members.SetItem(member.Id, member) };
    }

    void Remove(NodeId id)
    {
        batch.Delete(Table.Meta, MetaKeys.Member(id));
        batch.Put(Table.Meta, MetaKeys.RemovedMember(id), default);
        View = View with { Members = View.Members.Remove(id), Removed = View.Removed.Add(id) };
        foreach (var alarm in View.Alarms)
            if (alarm.MemberID == id.Value) Clear(id, alarm.Alarm);
    }

    void FollowConfig()
    {
        var byRole = View.Members.Values.ToLookup(member => member.IsLearner, member => member.Id);
        Config = new([.. byRole[false]], [.. byRole[true]]);
    }

    /// <summary>Format, the length of the version, the version, then etcd's own message for a member.</summary>
    static byte[] Encode(ClusterMember member)
    {
        var message = MemberResponses.Of(member).ToByteArray();
        return [Format, (byte)member.Version.Length, .. Encoding.ASCII.GetBytes(member.Version), .. message];
    }

    static ClusterMember Decode(byte[] row)
    {
        if (row[0] != Format) throw new StateFormatException(row[0], Format);
        var version = Encoding.ASCII.GetString(row, 2, row[1]);
        var message = Member.Parser.ParseFrom(row.AsSpan(2 + row[1]));
        return new(new(message.ID), message.Name, [.. message.PeerURLs], [.. message.ClientURLs], message.IsLearner, version);
    }
}
