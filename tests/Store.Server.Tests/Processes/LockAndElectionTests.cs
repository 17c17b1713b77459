using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>etcd's Lock and Election services (contract 1.11) on one real member.</summary>
public class LockAndElectionTests : IAsyncLifetime
{
    StoreUnderTest store = null!;
    GrpcChannel channel = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    Protocol.V3lockpb.Lock.LockClient Locks => new(channel);

    Election.ElectionClient Elections => new(channel);

    KV.KVClient Keys => new(channel);

    public async ValueTask InitializeAsync()
    {
        store = await StoreUnderTest.StartAsync(Token);
        channel = GrpcChannel.ForAddress(store.Url);
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_lock_is_a_key_of_name_and_lease_and_goes_to_who_came_next()
    {
        var (first, second, third) = (await GrantAsync(), await GrantAsync(), await GrantAsync());
        var held = await Locks.LockAsync(new() { Name = Bytes("l"), Lease = first }, cancellationToken: Token);
        Assert.Equal($"l/{first:x}", held.Key.ToStringUtf8());
        Assert.Equal(held.Header.Revision, (await GetAsync(held.Key)).CreateRevision);

        var next = Locks.LockAsync(new() { Name = Bytes("l"), Lease = second }, cancellationToken: Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("l/") == 2);
        var last = Locks.LockAsync(new() { Name = Bytes("l"), Lease = third }, cancellationToken: Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("l/") == 3);

        await Locks.UnlockAsync(new() { Key = held.Key }, cancellationToken: Token);
        Assert.Equal($"l/{second:x}", (await next).Key.ToStringUtf8());
        Assert.False(last.IsCompleted);
        await Locks.UnlockAsync(new() { Key = (await next).Key }, cancellationToken: Token);
        Assert.Equal($"l/{third:x}", (await last).Key.ToStringUtf8());
    }

    [Fact]
    public async Task Who_holds_a_lock_gets_it_again_with_the_same_lease()
    {
        var lease = await GrantAsync();
        var once = await Locks.LockAsync(new() { Name = Bytes("l"), Lease = lease }, cancellationToken: Token);
        var again = await Locks.LockAsync(new() { Name = Bytes("l"), Lease = lease }, cancellationToken: Token);
        Assert.Equal(once.Key, again.Key);
        Assert.Equal(1, await CountAsync("l/"));
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_no_key_and_holds_up_nobody()
    {
        var held = await Locks.LockAsync(new() { Name = Bytes("l") }, cancellationToken: Token);
        using var giveUp = new CancellationTokenSource();
        var waiting = Locks.LockAsync(new() { Name = Bytes("l"), Lease = await GrantAsync() }, cancellationToken: giveUp.Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("l/") == 2);
        await giveUp.CancelAsync();
        await Assert.ThrowsAsync<RpcException>(() => waiting);
        await UntilAsync(async () => await CountAsync("l/") == 1);
        Assert.NotNull(await GetAsync(held.Key));
    }

    [Fact]
    public async Task A_lock_falls_to_the_next_when_its_lease_is_revoked_and_is_refused_when_ones_own_is()
    {
        var (first, second, third) = (await GrantAsync(), await GrantAsync(), await GrantAsync());
        await Locks.LockAsync(new() { Name = Bytes("l"), Lease = first }, cancellationToken: Token);
        var expiring = Locks.LockAsync(new() { Name = Bytes("l"), Lease = second }, cancellationToken: Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("l/") == 2);
        var next = Locks.LockAsync(new() { Name = Bytes("l"), Lease = third }, cancellationToken: Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("l/") == 3);
        await RevokeAsync(second);
        await RevokeAsync(first);
        Assert.Equal($"l/{third:x}", (await next).Key.ToStringUtf8());
        await AssertRefusedAsync("mutex: session is expired", () => expiring);
    }

    [Fact]
    public async Task Errors_have_etcds_texts_and_code_unknown()
    {
        await AssertRefusedAsync("etcdserver: requested lease not found", () => Locks.LockAsync(new() { Name = Bytes("l"), Lease = 77 }, cancellationToken: Token).ResponseAsync);
        await AssertRefusedAsync("election: no leader", () => Elections.LeaderAsync(new() { Name = Bytes("e") }, cancellationToken: Token).ResponseAsync);
        await AssertRefusedAsync("\"leader\" field must be provided", () => Elections.ProclaimAsync(new(), cancellationToken: Token).ResponseAsync);
        await AssertRefusedAsync("\"leader\" field must be provided", () => Elections.ResignAsync(new(), cancellationToken: Token).ResponseAsync);
        var stranger = new LeaderKey { Name = Bytes("e"), Key = Bytes("e/1"), Rev = 5, Lease = await GrantAsync() };
        await AssertRefusedAsync("election: not leader", () => Elections.ProclaimAsync(new() { Leader = stranger }, cancellationToken: Token).ResponseAsync);
        await Elections.ResignAsync(new() { Leader = stranger }, cancellationToken: Token);
    }

    [Fact]
    public async Task Observers_hear_of_each_leader_and_of_what_it_proclaims()
    {
        using var observing = Elections.Observe(new() { Name = Bytes("e") }, cancellationToken: Token);
        var one = await Elections.CampaignAsync(new() { Name = Bytes("e"), Lease = await GrantAsync(), Value = Bytes("one") }, cancellationToken: Token);
        Assert.Equal("one", await HeardAsync(observing));
        var waiting = Elections.CampaignAsync(new() { Name = Bytes("e"), Lease = await GrantAsync(), Value = Bytes("two") }, cancellationToken: Token).ResponseAsync;
        await UntilAsync(async () => await CountAsync("e/") == 2);
        await Elections.ProclaimAsync(new() { Leader = one.Leader, Value = Bytes("still one") }, cancellationToken: Token);
        Assert.Equal("still one", await HeardAsync(observing));
        Assert.Equal("still one", (await Elections.LeaderAsync(new() { Name = Bytes("e") }, cancellationToken: Token)).Kv.Value.ToStringUtf8());

        await Elections.ResignAsync(new() { Leader = one.Leader }, cancellationToken: Token);
        Assert.Equal(waiting, await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromSeconds(30), Token)));
        Assert.Equal("two", await HeardAsync(observing));
    }

    [Fact]
    public async Task Campaigning_again_with_the_same_lease_keeps_the_place_and_proclaims()
    {
        var lease = await GrantAsync();
        var once = await Elections.CampaignAsync(new() { Name = Bytes("e"), Lease = lease, Value = Bytes("one") }, cancellationToken: Token);
        var again = await Elections.CampaignAsync(new() { Name = Bytes("e"), Lease = lease, Value = Bytes("other") }, cancellationToken: Token);
        Assert.Equal(once.Leader, again.Leader);
        Assert.Equal("other", (await Elections.LeaderAsync(new() { Name = Bytes("e") }, cancellationToken: Token)).Kv.Value.ToStringUtf8());
    }

    static ByteString Bytes(string text) => ByteString.CopyFrom(text, Encoding.UTF8);

    static async Task AssertRefusedAsync(string text, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(new Status(StatusCode.Unknown, text), new(refused.StatusCode, refused.Status.Detail));
    }

    static async Task<string> HeardAsync(AsyncServerStreamingCall<LeaderResponse> observing)
    {
        Assert.True(await observing.ResponseStream.MoveNext(Token).WaitAsync(TimeSpan.FromSeconds(30), Token));
        return observing.ResponseStream.Current.Kv.Value.ToStringUtf8();
    }

    static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await condition()) await Task.Delay(20, patience.Token);
    }

    async Task<long> GrantAsync() => (await new Lease.LeaseClient(channel).LeaseGrantAsync(new() { TTL = 60 }, cancellationToken: Token)).ID;

    async Task RevokeAsync(long lease) => await new Lease.LeaseClient(channel).LeaseRevokeAsync(new() { ID = lease }, cancellationToken: Token);

    async Task<long> CountAsync(string prefix) =>
        (await Keys.RangeAsync(new() { Key = Bytes(prefix), RangeEnd = Bytes(prefix[..^1] + "0"), CountOnly = true }, cancellationToken: Token)).Count;

    async Task<Protocol.Mvccpb.KeyValue> GetAsync(ByteString key) => (await Keys.RangeAsync(new() { Key = key }, cancellationToken: Token)).Kvs.Single();
}
