using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Store.Server.Tests;

public sealed class HandshakeTurnsTests
{
    static readonly byte[] Greeting = [0x16, 3, 1, 0, 4, 1, 2, 3, 4];

    readonly FakeTimeProvider time = new();
    readonly HandshakeTurns turns;

    public HandshakeTurnsTests() => turns = new(2, time);

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task As_many_begin_as_may_and_the_next_when_one_has_ended()
    {
        var first = await TakeAsync();
        Assert.NotNull(await TakeAsync());
        var third = TakeAsync();
        Assert.False(third.IsCompleted);
        first!.End();
        first.End();
        Assert.NotNull(await third);
        Assert.False(TakeAsync().IsCompleted);
    }

    [Fact]
    public async Task A_turn_that_lasts_gives_way()
    {
        await TakeAsync();
        await TakeAsync();
        var third = TakeAsync();
        time.Advance(HandshakeTurns.TurnTimeMax / 2);
        Assert.False(third.IsCompleted);
        time.Advance(HandshakeTurns.TurnTimeMax / 2);
        Assert.NotNull(await third);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    public async Task A_greeting_that_is_not_whole_takes_no_turn_until_it_is(int bytes)
    {
        using var slow = new Client();
        if (bytes > 0) await slow.SayAsync(Greeting.AsMemory(0, bytes));
        var waiting = turns.TakeAsync(slow.Connection, Token);
        var (second, third) = (await TakeAsync(), await TakeAsync());
        Assert.False(waiting.IsCompleted);
        Assert.NotNull(third);
        second!.End();
        await slow.SayAsync(Greeting.AsMemory(bytes));
        Assert.NotNull(await waiting);
        // Nothing was taken out of the pipe, and reading it waits for nothing.
        Assert.True(slow.Connection.Transport.Input.TryRead(out var read));
        Assert.Equal(Greeting.Length, read.Buffer.Length);
    }

    [Fact]
    public async Task Who_went_away_gets_no_turn()
    {
        var first = await TakeAsync();
        await TakeAsync();
        using var gone = new Client();
        await gone.SayAsync(Greeting);
        var waiting = turns.TakeAsync(gone.Connection, Token);
        var next = TakeAsync();
        await gone.LeaveAsync();
        first!.End();
        Assert.Null(await waiting);
        Assert.NotNull(await next);
    }

    [Fact]
    public async Task What_is_no_handshake_is_left_to_the_handshake_to_refuse()
    {
        using var plain = new Client();
        await plain.SayAsync("GET"u8.ToArray());
        Assert.NotNull(await turns.TakeAsync(plain.Connection, Token));
    }

    async Task<HandshakeTurns.Turn?> TakeAsync()
    {
        using var client = new Client();
        await client.SayAsync(Greeting);
        return await turns.TakeAsync(client.Connection, Token);
    }

    sealed class Client : IDisposable
    {
        readonly Pipe pipe = new();
        readonly CancellationTokenSource closed = new();

        public Client() => Connection = new DefaultConnectionContext { Transport = new Transport(pipe.Reader, new Pipe().Writer), ConnectionClosed = closed.Token };

        public ConnectionContext Connection { get; }

        public async Task SayAsync(ReadOnlyMemory<byte> bytes) => await pipe.Writer.WriteAsync(bytes, Token);

        public Task LeaveAsync() => closed.CancelAsync();

        public void Dispose() => closed.Dispose();
    }

    sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
