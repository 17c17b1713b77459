using Grpc.Core;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;
using Xunit;
using static Store.Server.Tests.GuardedStore;

namespace Store.Server.Tests;

/// <summary>Who is let in to which RPC (contract 1.10), on a real member. What each permission covers is asked of the state machine, in AuthorizationTests.</summary>
public sealed class DoorTests : IAsyncLifetime
{
    GuardedStore store = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    static Metadata Nobody => [];

    static Google.Protobuf.ByteString Large { get; } = Google.Protobuf.ByteString.CopyFrom(new byte[1_700_000]);

    public async ValueTask InitializeAsync() => store = await GuardedStore.StartAsync();

    public ValueTask DisposeAsync() => store.DisposeAsync();

    [Fact]
    public async Task Keys_are_for_those_who_have_permission()
    {
        await store.PutAsync("a", store.Alice);
        await store.PutAsync("x", store.Root);
        foreach (var serializable in new[] { false, true })
        {
            Assert.Single((await store.GetAsync("a", store.Alice, serializable: serializable)).Kvs);
            await DeniedAsync(() => store.GetAsync("x", store.Alice, serializable: serializable));
            await DeniedAsync(() => store.GetAsync("a", store.Alice, "\0", serializable));
            await NamelessAsync(() => store.GetAsync("a", Nobody, serializable: serializable));
        }

        await DeniedAsync(() => store.PutAsync("x", store.Alice));
        await DeniedAsync(() => store.PutAsync("a", store.Bob));
        await NamelessAsync(() => store.PutAsync("a", Nobody));
        await NamelessAsync(async () => await store.Keys.DeleteRangeAsync(new() { Key = Text("a") }, cancellationToken: Token));
        await NamelessAsync(async () => await store.Keys.TxnAsync(new() { Success = { new RequestOp { RequestRange = new() { Key = Text("a") } } } }, cancellationToken: Token));
    }

    [Fact]
    public async Task A_transaction_that_does_nothing_is_for_everybody_but_the_bearer_of_a_false_token()
    {
        var wordy = new TxnRequest { Success = { new RequestOp { RequestTxn = new() } } };
        foreach (var txn in new[] { new TxnRequest(), wordy })
        {
            foreach (var who in new[] { store.Root, store.Bob, Nobody }) Assert.True((await store.Keys.TxnAsync(txn, who, cancellationToken: Token)).Succeeded);
            await RefusedAsync(StatusCode.Unauthenticated, "etcdserver: invalid auth token",
                async () => await store.Keys.TxnAsync(txn, new Metadata { { "token", "abcdefghijklmnop.7" } }, cancellationToken: Token));
        }
    }

    /// <summary>As in etcd, which measures what is to go into the log before it asks who may.</summary>
    [Fact]
    public async Task What_is_too_large_is_refused_as_that_unless_the_token_is_nobodys()
    {
        Func<Metadata, Task>[] calls =
        [
            async who => await store.Keys.PutAsync(new() { Key = Text("x"), Value = Large }, who, cancellationToken: Token),
            async who => await store.Keys.TxnAsync(new() { Failure = { new RequestOp { RequestPut = new() { Key = Text("x"), Value = Large } } } }, who, cancellationToken: Token),
            async who => await store.Users.RoleGrantPermissionAsync(new() { Name = "ab", Perm = new() { Key = Large } }, who, cancellationToken: Token),
        ];
        foreach (var call in calls)
        {
            foreach (var who in new[] { store.Root, store.Bob, Nobody }) await RefusedAsync(StatusCode.InvalidArgument, "etcdserver: request is too large", () => call(who));
            await RefusedAsync(StatusCode.Unauthenticated, "etcdserver: invalid auth token", () => call(new() { { "token", "abcdefghijklmnop.7" } }));
        }

        await DeniedAsync(async () => await store.Keys.RangeAsync(new() { Key = Large }, store.Bob, cancellationToken: Token));
    }

    /// <summary>A lost comparison is answered without the log: also to whom it is none of their business?</summary>
    [Fact]
    public async Task A_transaction_tells_nothing_to_who_may_not_read_both_its_branches()
    {
        await store.PutAsync("x", store.Root);
        RequestOp Get(string key) => new() { RequestRange = new() { Key = Text(key) } };
        RequestOp Put(string key) => new() { RequestPut = new() { Key = Text(key) } };
        var exists = new Compare { Key = Text("x"), Target = Compare.Types.CompareTarget.Version, Result = Compare.Types.CompareResult.Greater };
        TxnRequest[] forbidden =
        [
            new() { Success = { Get("x") } },
            new() { Success = { Get("a") }, Failure = { Get("x") } },
            new() { Compare = { exists }, Success = { Get("a") }, Failure = { Put("a") } },
            new() { Success = { Get("a"), new RequestOp { RequestTxn = new() { Success = { Get("x") } } } } },
        ];
        foreach (var txn in forbidden) await DeniedAsync(async () => await store.Keys.TxnAsync(txn, store.Alice, cancellationToken: Token));
        await store.Keys.TxnAsync(new() { Success = { Get("a") }, Failure = { Put("b") } }, store.Alice, cancellationToken: Token);
    }

    [Fact]
    public async Task Streams_are_guarded_as_what_they_carry()
    {
        await store.PutAsync("a", store.Root);
        async Task StreamAsync(string key, string end, Metadata who)
        {
            using var call = store.Keys.RangeStream(new() { Key = Text(key), RangeEnd = Text(end) }, who, cancellationToken: Token);
            await foreach (var _ in call.ResponseStream.ReadAllAsync(Token))
            {
            }
        }

        await StreamAsync("a", "c", store.Alice);
        await DeniedAsync(() => StreamAsync("a", "\0", store.Alice));
        await NamelessAsync(() => StreamAsync("a", "c", Nobody));
        async Task SnapshotAsync(Metadata who)
        {
            using var call = store.Maintenance.Snapshot(new(), who, cancellationToken: Token);
            await call.ResponseStream.MoveNext(Token);
        }

        await SnapshotAsync(store.Root);
        await DeniedAsync(() => SnapshotAsync(store.Alice));
        await NamelessAsync(() => SnapshotAsync(Nobody));
    }

    /// <summary>GHSA-xg4h-6gfc-h4m8: with READ for one key, a watch "from that key on" went through.</summary>
    [Fact]
    public async Task A_watcher_hears_of_permitted_keys_alone_and_the_stream_goes_on_without_the_others()
    {
        await store.Users.RoleAddAsync(new() { Name = "one" }, store.Root, cancellationToken: Token);
        await store.Users.RoleGrantPermissionAsync(new() { Name = "one", Perm = new() { Key = Text("k") } }, store.Root, cancellationToken: Token);
        await store.Users.UserGrantRoleAsync(new() { User = "bob", Role = "one" }, store.Root, cancellationToken: Token);
        using var watch = new Watch.WatchClient(store.Channel).Watch(store.Bob, cancellationToken: Token);
        async Task<WatchResponse> CreateAsync(string key, string end)
        {
            await watch.RequestStream.WriteAsync(new() { CreateRequest = new() { Key = Text(key), RangeEnd = Text(end) } }, Token);
            Assert.True(await watch.ResponseStream.MoveNext(Token));
            return watch.ResponseStream.Current;
        }

        foreach (var (key, end) in new[] { ("k", "\0"), ("k", "k\0\0"), ("k", "z"), ("", ""), ("", "\0"), ("l", "") })
        {
            var refused = await CreateAsync(key, end);
            Assert.Equal((true, true, "rpc error: code = PermissionDenied desc = etcdserver: permission denied"), (refused.Created, refused.Canceled, refused.CancelReason));
        }

        Assert.False((await CreateAsync("k", "")).Canceled);
        await store.PutAsync("k", store.Root);
        Assert.True(await watch.ResponseStream.MoveNext(Token));
        Assert.Equal("k", Assert.Single(watch.ResponseStream.Current.Events).Kv.Key.ToStringUtf8());
    }

    [Fact]
    public async Task A_lease_is_as_guarded_as_its_keys()
    {
        await store.Leases.LeaseGrantAsync(new() { ID = 7, TTL = 600 }, store.Bob, cancellationToken: Token);
        await NamelessAsync(async () => await store.Leases.LeaseGrantAsync(new() { TTL = 600 }, cancellationToken: Token));
        await KeepAliveAsync(store.Bob);
        await store.PutAsync("a", store.Alice, lease: 7);

        await KeepAliveAsync(store.Alice);
        await DeniedAsync(() => KeepAliveAsync(store.Bob));
        await NamelessAsync(() => KeepAliveAsync(Nobody));
        Assert.Equal("a", (await TimeToLiveAsync(store.Alice, keys: true)).Keys.Single().ToStringUtf8());
        await DeniedAsync(() => TimeToLiveAsync(store.Bob, keys: true));
        Assert.Equal(600, (await TimeToLiveAsync(store.Bob, keys: false)).GrantedTTL);
        await NamelessAsync(() => TimeToLiveAsync(Nobody, keys: false));
        await DeniedAsync(async () => await store.Leases.LeaseLeasesAsync(new(), store.Bob, cancellationToken: Token));
        await store.Leases.LeaseLeasesAsync(new(), store.Alice, cancellationToken: Token);
        await DeniedAsync(async () => await store.Leases.LeaseRevokeAsync(new() { ID = 7 }, store.Bob, cancellationToken: Token));

        await store.PutAsync("x", store.Root, lease: 7);
        await DeniedAsync(() => store.PutAsync("b", store.Alice, lease: 7));
        await DeniedAsync(async () => await store.Leases.LeaseRevokeAsync(new() { ID = 7 }, store.Alice, cancellationToken: Token));
        await store.Leases.LeaseRevokeAsync(new() { ID = 7 }, store.Root, cancellationToken: Token);
    }

    [Fact]
    public async Task An_expired_lease_takes_its_keys_with_it_though_nobody_asked()
    {
        var lease = await store.Leases.LeaseGrantAsync(new() { TTL = 1 }, store.Alice, cancellationToken: Token);
        await store.PutAsync("a", store.Alice, lease.ID);
        while ((await store.GetAsync("a", store.Alice)).Kvs.Count > 0) await Task.Delay(50, Token);
    }

    /// <summary>CVE-2026-33413: several of these went unchecked.</summary>
    [Fact]
    public async Task Administration_is_roots()
    {
        var cluster = new Cluster.ClusterClient(store.Channel);
        Func<Metadata, Task>[] calls =
        [
            async who => await store.Keys.CompactAsync(new() { Revision = 1 }, who, cancellationToken: Token),
            async who => await store.Maintenance.DefragmentAsync(new(), who, cancellationToken: Token),
            async who => await store.Maintenance.HashAsync(new(), who, cancellationToken: Token),
            async who => await store.Maintenance.HashKVAsync(new(), who, cancellationToken: Token),
            async who => await store.Maintenance.AlarmAsync(new() { Action = AlarmRequest.Types.AlarmAction.Deactivate, Alarm = AlarmType.Nospace }, who, cancellationToken: Token),
            async who => await store.Maintenance.MoveLeaderAsync(new(), who, cancellationToken: Token),
            async who => await store.Maintenance.DowngradeAsync(new(), who, cancellationToken: Token),
            async who => await cluster.MemberAddAsync(new(), who, cancellationToken: Token),
            async who => await cluster.MemberRemoveAsync(new(), who, cancellationToken: Token),
            async who => await cluster.MemberUpdateAsync(new(), who, cancellationToken: Token),
            async who => await cluster.MemberPromoteAsync(new(), who, cancellationToken: Token),
            async who => await store.Users.UserListAsync(new(), who, cancellationToken: Token),
            async who => await store.Users.RoleListAsync(new(), who, cancellationToken: Token),
            async who => await store.Users.UserGetAsync(new() { Name = "root" }, who, cancellationToken: Token),
            async who => await store.Users.UserAddAsync(new() { Name = "eve", Password = "e" }, who, cancellationToken: Token),
            async who => await store.Users.UserChangePasswordAsync(new() { Name = "root", Password = "e" }, who, cancellationToken: Token),
            async who => await store.Users.UserGrantRoleAsync(new() { User = "alice", Role = "root" }, who, cancellationToken: Token),
            async who => await store.Users.RoleGrantPermissionAsync(new() { Name = "ab", Perm = new() { Key = Text("x") } }, who, cancellationToken: Token),
            async who => await store.Users.AuthDisableAsync(new(), who, cancellationToken: Token),
            async who => await store.Users.AuthEnableAsync(new(), who, cancellationToken: Token),
        ];
        foreach (var call in calls)
        {
            await DeniedAsync(() => call(store.Alice));
            await NamelessAsync(() => call(Nobody));
        }

        await store.Maintenance.HashKVAsync(new(), store.Root, cancellationToken: Token);
    }

    [Fact]
    public async Task Every_user_may_see_how_the_cluster_is_and_what_it_is_itself()
    {
        await store.Maintenance.StatusAsync(new(), store.Bob, cancellationToken: Token);
        await store.Maintenance.AlarmAsync(new(), store.Bob, cancellationToken: Token);
        await new Cluster.ClusterClient(store.Channel).MemberListAsync(new(), store.Bob, cancellationToken: Token);
        Assert.Equal(["ab"], (await store.Users.UserGetAsync(new() { Name = "alice" }, store.Alice, cancellationToken: Token)).Roles);
        Assert.Single((await store.Users.RoleGetAsync(new() { Role = "ab" }, store.Alice, cancellationToken: Token)).Perm);
        await DeniedAsync(async () => await store.Users.RoleGetAsync(new() { Role = "ab" }, store.Bob, cancellationToken: Token));
        await NamelessAsync(async () => await store.Maintenance.StatusAsync(new(), cancellationToken: Token));
        var status = await store.Users.AuthStatusAsync(new(), cancellationToken: Token);
        Assert.True(status.Enabled);
    }

    /// <summary>Their steps are transactions of the caller's own; errors have their services' shape, the text under code Unknown.</summary>
    [Fact]
    public async Task Locks_and_elections_need_permission_for_their_keys()
    {
        var (locks, elections) = (new Store.Protocol.V3lockpb.Lock.LockClient(store.Channel), new Election.ElectionClient(store.Channel));
        var held = await locks.LockAsync(new() { Name = Text("a/lock") }, store.Alice, cancellationToken: Token);
        await locks.UnlockAsync(new() { Key = held.Key }, store.Alice, cancellationToken: Token);
        var won = await elections.CampaignAsync(new() { Name = Text("b/office"), Value = Text("v") }, store.Alice, cancellationToken: Token);
        await elections.ProclaimAsync(new() { Leader = won.Leader, Value = Text("w") }, store.Alice, cancellationToken: Token);

        Task Denied(Func<Task> call) => RefusedAsync(StatusCode.Unknown, "etcdserver: permission denied", call);
        await Denied(async () => await locks.LockAsync(new() { Name = Text("x/lock") }, store.Alice, cancellationToken: Token));
        await Denied(async () => await locks.LockAsync(new() { Name = Text("a/lock") }, store.Bob, cancellationToken: Token));
        await Denied(async () => await locks.UnlockAsync(new() { Key = won.Leader.Key }, store.Bob, cancellationToken: Token));
        await Denied(async () => await elections.CampaignAsync(new() { Name = Text("b/office") }, store.Bob, cancellationToken: Token));
        await Denied(async () => await elections.ProclaimAsync(new() { Leader = won.Leader, Value = Text("mine") }, store.Bob, cancellationToken: Token));
        await Denied(async () => await elections.ResignAsync(new() { Leader = won.Leader }, store.Bob, cancellationToken: Token));
        await Denied(async () => await elections.LeaderAsync(new() { Name = Text("b/office") }, store.Bob, cancellationToken: Token));
        await RefusedAsync(StatusCode.Unknown, "etcdserver: user name is empty", async () => await locks.LockAsync(new() { Name = Text("a/lock") }, cancellationToken: Token));
        using var observing = elections.Observe(new() { Name = Text("b/office") }, store.Bob, cancellationToken: Token);
        await Denied(() => observing.ResponseStream.MoveNext(Token));
        Assert.Equal("w", (await elections.LeaderAsync(new() { Name = Text("b/office") }, store.Alice, cancellationToken: Token)).Kv.Value.ToStringUtf8());
    }

    async Task KeepAliveAsync(Metadata who)
    {
        using var call = store.Leases.LeaseKeepAlive(who, cancellationToken: Token);
        await call.RequestStream.WriteAsync(new() { ID = 7 }, Token);
        Assert.True(await call.ResponseStream.MoveNext(Token));
        Assert.Equal(600, call.ResponseStream.Current.TTL);
    }

    async Task<LeaseTimeToLiveResponse> TimeToLiveAsync(Metadata who, bool keys) =>
        await store.Leases.LeaseTimeToLiveAsync(new() { ID = 7, Keys = keys }, who, cancellationToken: Token);
}
