using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Xunit;

namespace Store.State.Tests;

/// <summary>Puts are read and written by hand: protobuf is the judge.</summary>
public sealed class PutCommandTests
{
    [Fact]
    public void A_command_written_by_hand_is_what_protobuf_writes()
    {
        var random = new Random(1);
        for (var i = 0; i < 1_000; i++)
        {
            var command = RandomCommand(random);
            var request = command.Put.ToByteArray();
            var written = new byte[PutCommand.Size(command.RequestId, command.QuotaBytes, request.Length)];
            PutCommand.Write(written, command.RequestId, command.QuotaBytes, request);
            Assert.Equal(command.ToByteArray(), written);
        }
    }

    [Fact]
    public void A_command_is_read_as_protobuf_reads_it()
    {
        var random = new Random(2);
        for (var i = 0; i < 1_000; i++)
        {
            var command = RandomCommand(random);
            Assert.True(PutCommand.TryRead(command.ToByteArray(), out var requestId, out var quotaBytes, out var put));
            Assert.Equal((command.RequestId, command.QuotaBytes), (requestId, quotaBytes));
            Same(command.Put, put);
        }
    }

    [Fact]
    public void Damaged_requests_are_read_as_protobuf_reads_them_or_left_to_it()
    {
        var random = new Random(3);
        for (var i = 0; i < 5_000; i++)
        {
            var bytes = RandomCommand(random).Put.ToByteArray();
            if (bytes.Length == 0) continue;
            if (random.Next(2) == 0) bytes = bytes[..random.Next(bytes.Length)];
            else bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (PutFields.TryRead(bytes, out var put)) Same(PutRequest.Parser.ParseFrom(bytes), put);
        }
    }

    [Fact]
    public void Commands_with_more_than_a_put_are_left_to_protobuf()
    {
        var put = new PutRequest { Key = ByteString.CopyFromUtf8("k") };
        Assert.False(PutCommand.TryRead(new Command { RequestId = 1, Username = "alice", Put = put }.ToByteArray(), out _, out _, out _));
        Assert.False(PutCommand.TryRead(new Command { RequestId = 1, DeleteRange = new() { Key = put.Key } }.ToByteArray(), out _, out _, out _));
        Assert.False(PutCommand.TryRead([], out _, out _, out _));
    }

    static Command RandomCommand(Random random) => new()
    {
        RequestId = (ulong)random.NextInt64(long.MinValue, long.MaxValue),
        QuotaBytes = random.Next(3) == 0 ? 0 : random.NextInt64(long.MaxValue),
        Put = new()
        {
            Key = ByteString.CopyFrom(Bytes(random, 40)),
            Value = ByteString.CopyFrom(Bytes(random, 400)),
            Lease = random.Next(2) == 0 ? 0 : random.NextInt64(long.MinValue, long.MaxValue),
            PrevKv = random.Next(2) == 0,
            IgnoreValue = random.Next(2) == 0,
            IgnoreLease = random.Next(2) == 0,
        },
    };

    static byte[] Bytes(Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    static void Same(PutRequest expected, PutFields actual)
    {
        Assert.Equal(expected.Key.ToByteArray(), actual.Key.ToArray());
        Assert.Equal(expected.Value.ToByteArray(), actual.Value.ToArray());
        Assert.Equal(
            (expected.Lease, expected.PrevKv, expected.IgnoreValue, expected.IgnoreLease),
            (actual.Lease, actual.PrevKv, actual.IgnoreValue, actual.IgnoreLease));
    }
}
