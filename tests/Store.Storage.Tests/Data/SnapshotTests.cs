using Store.Raft;
using Store.State;
using Xunit;

namespace Store.Storage.Tests;

public sealed class SnapshotTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly StateFolders senders;
    readonly StateFolders receivers;
    readonly RocksEngine engine;
    readonly OutgoingSnapshot outgoing;

    public SnapshotTests()
    {
        senders = StateFolders.Open(folder["sender"]);
        receivers = StateFolders.Open(folder["receiver"]);
        engine = RocksEngine.Open(senders.Current, new());
        var random = new Random(3);
        var batch = new EngineBatch();
        for (var i = 0; i < 300; i++)
        {
            var value = new byte[1000];
            random.NextBytes(value);
            batch.Put(Table.Revisions, BitConverter.GetBytes(i), value);
        }
        engine.Write(batch);
        outgoing = new SnapshotStore(senders).Create(engine, _ => new(new(7), new(2), MembershipConfig.Of(new NodeId(1))));
    }

    public void Dispose()
    {
        outgoing.Dispose();
        engine.Dispose();
        folder.Dispose();
    }

    async Task<List<byte[]>> Pieces()
    {
        var pieces = new List<byte[]>();
        await foreach (var piece in outgoing.ReadPiecesAsync(TestContext.Current.CancellationToken)) pieces.Add(piece.ToArray());
        return pieces;
    }

    Task<ReceivedSnapshot> Receive(IEnumerable<byte[]> pieces) =>
        new SnapshotStore(receivers).ReceiveAsync(pieces.Select(piece => (ReadOnlyMemory<byte>)piece).ToAsyncEnumerable(), TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_received_snapshot_holds_the_same_rows()
    {
        using var received = await Receive(await Pieces());
        Assert.Equal(new LogIndex(7), received.Metadata.Index);
        using var copy = RocksEngine.Open(received.Folder, new());
        var sent = engine.Scan(Table.Revisions, default, null).Select(row => Convert.ToHexString([.. row.Key, .. row.Value]));
        Assert.Equal(sent, copy.Scan(Table.Revisions, default, null).Select(row => Convert.ToHexString([.. row.Key, .. row.Value])));
    }

    [Fact]
    public async Task Pieces_that_are_changed_lost_doubled_or_exchanged_leave_nothing_behind()
    {
        var pieces = await Pieces();
        var random = new Random(5);
        for (var i = 0; i < pieces.Count; i++)
        {
            var at = i;
            var flipped = (byte[])pieces[at].Clone();
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
            await AssertRefused([.. pieces[..at], flipped, .. pieces[(at + 1)..]]);
            await AssertRefused([.. pieces[..at], .. pieces[(at + 1)..]]);
            await AssertRefused([.. pieces[..at], pieces[at], .. pieces[at..]]);
            await AssertRefused(pieces[..at]);
            if (at > 0) await AssertRefused([.. pieces[..(at - 1)], pieces[at], pieces[at - 1], .. pieces[(at + 1)..]]);
        }
        Assert.Empty(Directory.GetDirectories(folder["receiver"]));
    }

    async Task AssertRefused(IEnumerable<byte[]> pieces)
    {
        var refusal = await Assert.ThrowsAsync<StorageException>(() => Receive(pieces));
        Assert.Contains("the received snapshot cannot be used", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("snapshot")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    public async Task Names_that_could_leave_the_folder_are_refused(string name)
    {
        var begin = SnapshotPiece.Make(SnapshotPieceKind.Begin, 0, System.Text.Encoding.UTF8.GetBytes($"format 1\nindex 7\nterm 2\npart 0 3 {name}\n"));
        await AssertRefused([begin]);
    }
}
