using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Store.Raft;

namespace Store.State;

/// <summary>
/// The state as etcd keeps it in its backend: the buckets, keys and values of etcd 3.6 (contract 1.9). Rows of the log of events are etcd's rows but for
/// their header, so a snapshot of ours is one of etcd's.
/// </summary>
public static class EtcdBackend
{
    /// <summary>Whose layout it is. etcd 3.5 does not look at it; later ones migrate it.</summary>
    public const string StorageVersion = "3.6.0";

    /// <summary>
    /// The cluster version that a snapshot claims: the lowest of the etcds that read this layout, since an etcd may refuse one above its own. A cluster raises it
    /// by itself once its members agree.
    /// </summary>
    const string ClusterVersion = "3.5.0";

    const int NumberFieldBytesMax = 11;

    /// <summary>In the order of their names. The pairs are read while they are enumerated; the view must stay pinned.</summary>
    /// <param name="after">Leaves the rows up to this revision out, for one who has them (<see cref="BackendChain"/>). At or above the compacted revision, or none.</param>
    public static IReadOnlyList<BackendBucket> Of(PinnedView view, Revision after = default) =>
    [
        new(BackendKeys.Alarm, Sorted(view.View.Cluster.Alarms.Select(alarm => new BackendPair(alarm.ToByteArray(), default)))),
        new(BackendKeys.Auth,
        [
            new(BackendKeys.AuthEnabled.ToArray(), new byte[] { view.View.Auth.Enabled ? (byte)1 : (byte)0 }),
            new(BackendKeys.AuthRevision.ToArray(), Number((long)view.View.Auth.Revision)),
        ]),
        new(BackendKeys.AuthRoles, view.View.Auth.RolesInOrder.Select(role => new BackendPair(Encoding.UTF8.GetBytes(role.Name), role.ToMessage().ToByteArray()))),
        new(BackendKeys.AuthUsers, view.View.Auth.UsersInOrder.Select(user => new BackendPair(Encoding.UTF8.GetBytes(user.Name), user.ToMessage().ToByteArray()))),
        new(BackendKeys.Cluster, [new(BackendKeys.ClusterVersion.ToArray(), Encoding.ASCII.GetBytes(ClusterVersion))]),
        new(BackendKeys.Key, Rows(view, after)),
        new(BackendKeys.Lease, view.Leases.Select(Lease)),
        new(BackendKeys.Members, Sorted(view.View.Cluster.Members.Values.Select(member => new BackendPair(Hexadecimal(member.Id), Describe(member))))),
        new(BackendKeys.MembersRemoved, Sorted(view.View.Cluster.Removed.Select(id => new BackendPair(Hexadecimal(id), "removed"u8.ToArray())))),
        new(BackendKeys.Meta, Meta(view)),
    ];

    /// <summary>
    /// The rows that compaction leaves, however far it has physically come here: of those up to the compacted revision only the newest of each key, and a
    /// deletion only exactly there.
    /// </summary>
    static IEnumerable<BackendPair> Rows(PinnedView view, Revision after)
    {
        var reader = view.Reader;
        foreach (var (id, row) in view.Rows(after))
        {
            var tombstone = Row.IsTombstone(row.Span);
            if (id.Main.Value <= reader.Compacted && !IsKept(reader, id, tombstone, row.Span)) continue;
            var encoded = Row.KeyValue(row);
            yield return new(BackendKeys.Revision(id, tombstone), tombstone ? encoded[..KeyValueCodec.KeyFieldSize(Row.Fields(row.Span).Key)] : encoded);
        }
    }

    static bool IsKept(RangeReader reader, RowId id, bool tombstone, ReadOnlySpan<byte> row)
    {
        if (tombstone && id.Main.Value < reader.Compacted) return false;
        if (IndexReader.Find(reader.Root, Row.Fields(row).Key) is not { } entry) return false;
        _ = entry.TryAt(reader.Compacted, out var newest);
        return newest == id;
    }

    /// <summary>leasepb.Lease.</summary>
    static BackendPair Lease(LeaseInfo lease)
    {
        var value = new byte[3 * NumberFieldBytesMax];
        using var output = new CodedOutputStream(value);
        WriteNumber(output, 1, lease.Id.Value);
        WriteNumber(output, 2, lease.GrantedSeconds);
        WriteNumber(output, 3, lease.RemainingSeconds);
        return new(Number(lease.Id.Value), value.AsMemory(0, value.Length - output.SpaceLeft));
    }

    static void WriteNumber(CodedOutputStream output, int field, long number)
    {
        if (number == 0) return;
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(number);
    }

    static IEnumerable<BackendPair> Meta(PinnedView view)
    {
        var compacted = BackendKeys.Revision(new(view.View.Compacted, 0));
        var wasCompacted = view.View.Compacted > Revision.None;
        yield return new(BackendKeys.ConfState.ToArray(), ConfState(view.View.Cluster));
        yield return new(BackendKeys.ConsistentIndex.ToArray(), Number((long)view.View.Applied.Value));
        if (wasCompacted) yield return new(BackendKeys.FinishedCompact.ToArray(), compacted);
        if (wasCompacted) yield return new(BackendKeys.ScheduledCompact.ToArray(), compacted);
        yield return new(BackendKeys.StorageVersion.ToArray(), Encoding.ASCII.GetBytes(StorageVersion));
        yield return new(BackendKeys.Term.ToArray(), Number((long)view.AppliedTerm.Value));
    }

    /// <summary>raftpb.ConfState in Go's JSON.</summary>
    static byte[] ConfState(ClusterView cluster) => Json(json =>
    {
        WriteIds(json, "voters", cluster.Members.Values.Where(member => !member.IsLearner));
        WriteIds(json, "learners", cluster.Members.Values.Where(member => member.IsLearner));
        json.WriteBoolean("auto_leave", false);
    });

    static void WriteIds(Utf8JsonWriter json, string name, IEnumerable<ClusterMember> members)
    {
        var ids = members.Select(member => member.Id.Value).ToList();
        if (ids.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    static byte[] Describe(ClusterMember member) => Json(json =>
    {
        json.WriteNumber("id", member.Id.Value);
        WriteTexts(json, "peerURLs", member.PeerUrls);
        if (member.IsLearner) json.WriteBoolean("isLearner", true);
        if (member.Name.Length > 0) json.WriteString("name", member.Name);
        if (!member.ClientUrls.IsDefaultOrEmpty) WriteTexts(json, "clientURLs", member.ClientUrls);
    });

    static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    static byte[] Number(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    static byte[] Hexadecimal(NodeId id) => Encoding.ASCII.GetBytes(id.Value.ToString("x", CultureInfo.InvariantCulture));

    static List<BackendPair> Sorted(IEnumerable<BackendPair> pairs)
    {
        var sorted = pairs.ToList();
        sorted.Sort((a, b) => a.Key.Span.SequenceCompareTo(b.Key.Span));
        return sorted;
    }
}
