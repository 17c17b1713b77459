using System.Buffers.Binary;
using System.Text;
using Store.Raft;
using Store.State;
using Xunit;
using static Store.Storage.Tests.WalTesting;

namespace Store.Storage.Tests;

public sealed class DataDirectoryTests : IDisposable
{
    static readonly MemberIdentity One = new(0xc1, new(0xa1));
    static readonly MembershipConfig Config = MembershipConfig.Of(new NodeId(0xa1), new NodeId(0xa2));

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A running member as the server would start one; its state is the applied index and term.</summary>
    sealed class Member : IDisposable
    {
        internal DataDirectory Data { get; }
        internal OpenedStorage Storage { get; }
        internal RocksEngine Engine { get; set; }
        internal BootDecision Boot { get; }

        internal Member(string path, MemberIdentity identity)
        {
            Data = DataDirectory.Open(path);
            try
            {
                Storage = Data.OpenStorage(identity, Small, new());
            }
            catch
            {
                Data.Dispose();
                throw;
            }
            Engine = Storage.Engine;
            try
            {
                if (Data.Identity is null)
                {
                    Storage.Log.Persist([new(0, null, [], new(LogIndex.Zero, Term.Zero, Config))]);
                    Data.Begin(identity);
                }
                var (applied, term) = Applied(Engine);
                Boot = BootRule.Decide(Storage.Content, applied, term, Config, Storage.Installed);
                if (Boot.Repair is { } repair) Storage.Log.Persist([repair]);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        internal void Append(ulong from, ulong to, ulong term)
        {
            for (var i = from; i <= to; i++) Storage.Log.Append(Entry(i, term, $"entry {i}"));
        }

        internal void Apply(ulong index, ulong term)
        {
            var batch = new EngineBatch();
            var row = new byte[16];
            BinaryPrimitives.WriteUInt64BigEndian(row, index);
            BinaryPrimitives.WriteUInt64BigEndian(row.AsSpan(8), term);
            batch.Put(Table.Meta, "applied"u8.ToArray(), row);
            batch.Put(Table.Revisions, Encoding.UTF8.GetBytes($"{index:d8}"), new byte[5000]);
            Engine.Write(batch);
        }

        internal static (LogIndex Index, Term Term) Applied(IKeyValueEngine engine) => engine.Get(Table.Meta, "applied"u8) is { } row
            ? (new(BinaryPrimitives.ReadUInt64BigEndian(row)), new(BinaryPrimitives.ReadUInt64BigEndian(row.AsSpan(8))))
            : default;

        internal static SnapshotMetadata Describe(IKeyValueEngine engine)
        {
            var (index, term) = Applied(engine);
            return new(index, term, Config);
        }

        public void Dispose()
        {
            Engine.Dispose();
            Storage.Log.Dispose();
            Data.Dispose();
        }
    }

    Member Start(string name = "m", MemberIdentity? identity = null) => new(folder[name], identity ?? One);

    /// <summary>What a process finds that starts after this one was killed now.</summary>
    string Kill(string name)
    {
        var killed = folder[$"killed-{Guid.NewGuid():n}"];
        TemporaryFolder.Copy(folder[name], killed);
        File.SetUnixFileMode(killed, Disk.OwnerOnly);
        return killed;
    }

    static string Refusal(Action start)
    {
        var message = Assert.Throws<StorageException>(start).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [Fact]
    public void A_fresh_directory_begins_and_is_known_again()
    {
        using (var member = Start())
        {
            Assert.Equal(One, member.Data.Identity);
            Assert.Empty(member.Data.Notices);
            Assert.Equal(Disk.OwnerOnly, File.GetUnixFileMode(folder["m"]));
        }
        using var again = Start();
        Assert.Equal(Config, again.Boot.Start.Snapshot.Config);
        Assert.Equal(LogIndex.Zero, again.Boot.Start.Snapshot.Index);
    }

    [Fact]
    public void A_second_process_is_told_so_in_one_line()
    {
        using var member = Start();
        Assert.Contains("another process uses this data directory", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_data_of_another_member_is_refused()
    {
        Start().Dispose();
        var refusal = Refusal(() => Start(identity: One with { ClusterId = 0xc2 }));
        Assert.Contains("belongs to member a1 of cluster c1, this is member a1 of cluster c2", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_directory_of_etcd_is_refused()
    {
        Directory.CreateDirectory(folder["m/member/snap"]);
        File.WriteAllText(folder["m/member/snap/db"], "");
        Assert.Contains("data directory of etcd", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Fact]
    public void Foreign_files_are_refused_inside_and_told_outside()
    {
        Start().Dispose();
        File.WriteAllText(folder["m/notes.txt"], "");
        File.SetUnixFileMode(folder["m"], Disk.OwnerOnly | UnixFileMode.GroupRead);
        using (var member = Start()) Assert.Equal(2, member.Data.Notices.Count);
        File.WriteAllText(folder["m/member/notes.txt"], "");
        Assert.Contains("notes.txt: this does not belong", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("member/identity")]
    [InlineData("member/state/current")]
    public void A_flipped_bit_in_a_small_file_is_refused(string file)
    {
        Start().Dispose();
        var original = File.ReadAllBytes(folder[$"m/{file}"]);
        for (var at = 0; at < original.Length; at++)
        {
            var damaged = (byte[])original.Clone();
            damaged[at] ^= 1;
            File.WriteAllBytes(folder[$"m/{file}"], damaged);
            Assert.Contains(file, Refusal(() => Start()), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("member/identity", "identity: the file is missing")]
    [InlineData("member/wal", "the log is missing")]
    [InlineData("member/state/current", "current: the file is missing")]
    public void What_is_missing_is_named(string file, string expected)
    {
        using (var member = Start()) member.Append(1, 3, 1);
        if (Directory.Exists(folder[$"m/{file}"])) Directory.Delete(folder[$"m/{file}"], true);
        else File.Delete(folder[$"m/{file}"]);
        Assert.Contains(expected, Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_format_is_refused_by_name()
    {
        Start().Dispose();
        CheckedText.Write(folder["m/member/identity"], ("format", "2"), ("cluster", "c1"), ("member", "a1"));
        Assert.Contains("format 2, this program knows only 1", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_is_behind_the_log_is_brought_forward_from_there()
    {
        using var member = Start();
        member.Append(1, 10, 1);
        for (ulong i = 1; i <= 6; i++) member.Apply(i, 1);
        member.Engine.Flush();
        for (ulong i = 7; i <= 10; i++) member.Apply(i, 1);
        using var after = new Member(Kill("m"), One);
        Assert.Equal(new LogIndex(6), after.Boot.Start.Applied);
        Assert.Equal(new LogIndex(10), after.Boot.Start.Entries[^1].Index);
        Assert.Null(after.Boot.Repair);
    }

    [Fact]
    public void A_log_that_lost_its_end_is_refused()
    {
        using (var member = Start())
        {
            member.Append(1, 10, 1);
            member.Apply(10, 1);
            var wal = Segment.PathOf(folder["m/member/wal"], 1);
            var bytes = File.ReadAllBytes(wal);
            bytes.AsSpan(Frame.Sector * 8).Clear();
            File.WriteAllBytes(wal, bytes);
        }
        Assert.Contains("the log has lost its end", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_lost_what_the_log_has_cut_is_refused()
    {
        using (var member = Start())
        {
            member.Append(1, 300, 1);
            member.Apply(300, 1);
            member.Engine.Flush();
            member.Storage.Log.Cut(new(300));
        }
        Directory.Delete(folder["m/member/state/engine-00000001"], recursive: true);
        Assert.Contains("those between are lost", Refusal(() => Start()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(500UL)]
    [InlineData(10UL)]
    public async Task A_snapshot_install_survives_a_crash_after_each_step_in_either_order(ulong snapshotIndex)
    {
        using var leader = new Member(folder["leader"], One with { Member = new(0xa2) });
        leader.Apply(snapshotIndex, 3);
        using var outgoing = leader.Data.Snapshots.Create(leader.Engine, Member.Describe);
        Assert.Equal(new LogIndex(snapshotIndex), outgoing.Metadata.Index);

        var stop = TestContext.Current.CancellationToken;
        foreach (var logFirst in new[] { true, false })
        {
            var name = $"m-{logFirst}";
            using var member = Start(name);
            member.Append(1, 20, 1);
            member.Apply(5, 1);
            member.Engine.Flush();
            var received = await member.Data.Snapshots.ReceiveAsync(outgoing.ReadPiecesAsync(stop), stop);
            Assert.Equal(outgoing.Metadata, received.Metadata);
            AssertBoots(name, applied: 5, end: 20, engines: 1);

            if (logFirst) member.Storage.Log.Persist([new(9, Hard(3, 0, snapshotIndex), [], received.Metadata)]);
            else member.Engine = member.Data.Snapshots.Install(received, member.Engine, new());
            AssertBoots(name, applied: snapshotIndex, end: snapshotIndex, engines: 1);

            if (logFirst) member.Engine = member.Data.Snapshots.Install(received, member.Engine, new());
            else member.Storage.Log.Persist([new(9, Hard(3, 0, snapshotIndex), [], received.Metadata)]);
            AssertBoots(name, applied: snapshotIndex, end: snapshotIndex, engines: 1);
            Assert.Single(Directory.GetDirectories(folder[$"{name}/member/state"]));
        }
    }

    void AssertBoots(string name, ulong applied, ulong end, int engines)
    {
        var killed = Kill(name);
        for (var start = 0; start < 2; start++)
        {
            using var after = new Member(killed, One);
            Assert.Equal(new LogIndex(applied), after.Boot.Start.Applied);
            var last = after.Boot.Start.Entries is [.., var entry] ? entry.Index : after.Boot.Start.Snapshot.Index;
            Assert.Equal(new LogIndex(end), last);
            Assert.Equal(engines, Directory.GetDirectories(Path.Combine(killed, "member/state")).Length);
            if (applied == end) Assert.True(after.Boot.Start.HardState.Term >= new Term(3));
        }
    }
}
