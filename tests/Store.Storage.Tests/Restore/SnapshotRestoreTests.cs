using System.Security.Cryptography;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Store.State;
using Xunit;

namespace Store.Storage.Tests;

/// <summary>From a snapshot's file to a data directory that a member starts from.</summary>
public sealed class SnapshotRestoreTests : IDisposable
{
    static readonly MemberIdentity Identity = new(0xabc, new(8));

    readonly TemporaryFolder folder = new();

    string Snapshot => Path.Combine(folder.Path, "snapshot.db");

    string Target => Path.Combine(folder.Path, "data");

    [Fact]
    public void A_restored_directory_boots_with_the_new_members_and_the_old_keys()
    {
        Save(appendHash: true);
        var told = Restore(HashCheck.Required);
        Assert.Equal((new Revision(1_000_000_003), new Revision(3)), (told.Revision, told.SnapshotRevision));
        using var data = DataDirectory.Open(Target);
        Assert.Equal(Identity, data.Identity);
        var storage = data.OpenStorage(Identity, new(), new());
        using var engine = storage.Engine;
        using var log = storage.Log;
        var state = StateMachine.Open(engine, new());
        var boot = BootRule.Decide(storage.Content, state.Applied, state.AppliedTerm, state.Config, storage.Installed);
        Assert.Null(boot.Repair);
        Assert.Equal((new LogIndex(1), new LogIndex(1)), (boot.Start.Snapshot.Index, state.Applied));
        Assert.Equal([new NodeId(8)], state.Config.Voters);
        Assert.Equal(1, state.View.Range(new() { Key = ByteString.CopyFromUtf8("a") }).Count);
    }

    [Fact]
    public void A_directory_that_holds_something_is_left_alone()
    {
        Save(appendHash: true);
        Directory.CreateDirectory(Target);
        File.WriteAllText(Path.Combine(Target, "precious"), "x");
        Assert.Contains("is not empty (it holds precious)", Fail(HashCheck.Required), StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(Path.Combine(Target, "precious")));
    }

    [Fact]
    public void What_was_begun_is_removed_when_the_snapshot_turns_out_bad()
    {
        Save(appendHash: false, [new("key", [new(new byte[3], new byte[3])]), new("meta", [])]);
        Assert.Contains("is no revision", Fail(HashCheck.Skipped), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Target));
    }

    [Fact]
    public void A_missing_or_wrong_hash_is_refused_unless_it_is_not_to_be_looked_at()
    {
        Save(appendHash: false);
        Assert.Contains("the hash behind the snapshot is missing", Fail(HashCheck.Required), StringComparison.Ordinal);
        Save(appendHash: true);
        using (var stream = new FileStream(Snapshot, FileMode.Open))
        {
            stream.Position = stream.Length - 1;
            stream.WriteByte(0);
            stream.Position = stream.Length - 2;
            stream.WriteByte(0);
        }
        Assert.Contains("expected sha256", Fail(HashCheck.Required), StringComparison.Ordinal);
        Assert.Contains("expected sha256", Fail(HashCheck.IfThere), StringComparison.Ordinal);
        Restore(HashCheck.Skipped);
    }

    [Fact]
    public void A_bbolt_file_of_something_else_is_refused()
    {
        Save(appendHash: true, [new("photos", [])]);
        Assert.Contains("no snapshot of etcd: it has no buckets 'key' and 'meta'", Fail(HashCheck.Required), StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    RestoredState Restore(HashCheck check)
    {
        using var snapshot = SnapshotArchive.Open(Snapshot, check);
        return SnapshotRestore.Run(snapshot.Read, Target, null, Identity, First(), RestoreOptions.Default);
    }

    string Fail(HashCheck check) => Assert.Throws<StorageException>(() => Restore(check)).Message;

    static PersistRequest First()
    {
        var context = new MemberChange { Member = new() { ID = 8, Name = "m", PeerURLs = { "http://x:1" } } };
        return new(
            0, new HardState(new(1), NodeId.None, new(1)),
            [new(new(1), new(1), EntryKind.ConfigChange, new ConfigChange(ConfigChangeKind.AddVoter, new(8), context.ToByteArray()).Encode())], null);
    }

    void Save(bool appendHash)
    {
        var state = StateMachine.Open(new MemoryEngine(), new());
        foreach (var key in new[] { "a", "b" })
        {
            var command = new Command { Put = new PutRequest { Key = ByteString.CopyFromUtf8(key) } };
            state.Apply([new(new(1), state.Applied.Next, EntryKind.Normal, command.ToByteArray())]);
        }
        using var view = state.View.Pin();
        Save(appendHash, EtcdBackend.Of(view));
    }

    void Save(bool appendHash, IReadOnlyList<BackendBucket> buckets)
    {
        using var content = new MemoryStream();
        using var layout = BoltImage.Measure(buckets, CancellationToken.None);
        foreach (var piece in BoltImage.Write(buckets, layout)) content.Write(piece.Span);
        if (appendHash) content.Write(SHA256.HashData(content.ToArray()));
        File.WriteAllBytes(Snapshot, content.ToArray());
    }
}
