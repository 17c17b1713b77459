using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;
using Xunit;
using Action = Store.Protocol.Etcdserverpb.AlarmRequest.Types.AlarmAction;
using Downgrade = Store.Protocol.Etcdserverpb.DowngradeRequest.Types.DowngradeAction;

namespace EndToEnd.Tests;

/// <summary>
/// Every error text of the contract, provoked in running members and compared byte by byte as a client of gRPC gets it. A row is an error and the request that
/// is refused with it; where several come together they share a member, in order.
/// </summary>
public sealed class ErrorTextTests(ITestOutputHelper output)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly HashSet<string> heard = new(StringComparer.Ordinal);

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_text_of_the_contract_comes_over_the_wire()
    {
        foreach (var rows in (Func<Task>[])[RequestsAsync, UsersAsync, SignedTokensAsync, FullAsync, MembersAsync, ElectionsAsync])
        {
            var started = Stopwatch.GetTimestamp();
            await rows();
            output.WriteLine($"{rows.Method.Name}: {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        }

        var contract = ErrorTexts.Table.Split('\n').ToHashSet(StringComparer.Ordinal);
        Assert.Equal(63, contract.Count);
        Assert.Empty(contract.Except(heard).Except(ErrorTexts.Unheard.Keys));
        Assert.Empty(heard.Except(contract));
        Assert.Empty(heard.Intersect(ErrorTexts.Unheard.Keys));
        Assert.Empty(ErrorTexts.Unheard.Keys.Except(contract));
        output.WriteLine($"{heard.Count} of {contract.Count} texts heard");
    }

    /// <summary>What is wrong with a request to one member.</summary>
    async Task RequestsAsync()
    {
        await using var cluster = await StartAsync(1);
        using var calls = new Calls(cluster[0]);
        foreach (var before in (IMessage[])[Put("a"), Put("a"), new CompactionRequest { Revision = 3 }, new LeaseGrantRequest { ID = 5, TTL = 1000 }])
            await calls.CallAsync(before, null);
        (string Error, IMessage Request)[] rows =
        [
            ("InvalidArgument: etcdserver: key is not provided", Put("")),
            ("InvalidArgument: etcdserver: key not found", new PutRequest { Key = Key("nowhere"), IgnoreValue = true }),
            ("InvalidArgument: etcdserver: value is provided", new PutRequest { Key = Key("a"), Value = Key("v"), IgnoreValue = true }),
            ("InvalidArgument: etcdserver: lease is provided", new PutRequest { Key = Key("a"), Lease = 5, IgnoreLease = true }),
            ("InvalidArgument: etcdserver: too many operations in txn request", Txn([.. Enumerable.Range(0, 129).Select(n => Put($"{n}"))])),
            ("InvalidArgument: etcdserver: duplicate key given in txn request", Txn(Put("a"), Put("a"))),
            ("InvalidArgument: etcdserver: invalid sort option", new RangeRequest { Key = Key("a"), SortOrder = (RangeRequest.Types.SortOrder)7 }),
            ("OutOfRange: etcdserver: mvcc: required revision has been compacted", new RangeRequest { Key = Key("a"), Revision = 2 }),
            ("OutOfRange: etcdserver: mvcc: required revision is a future revision", new RangeRequest { Key = Key("a"), Revision = 100 }),
            ("NotFound: etcdserver: requested lease not found", new LeaseRevokeRequest { ID = 77 }),
            ("FailedPrecondition: etcdserver: lease already exists", new LeaseGrantRequest { ID = 5, TTL = 1000 }),
            ("OutOfRange: etcdserver: too large lease TTL", new LeaseGrantRequest { ID = 6, TTL = 9_000_000_001 }),
            ("InvalidArgument: etcdserver: request is too large", new PutRequest { Key = Key("a"), Value = ByteString.CopyFrom(new byte[1_700_000]) }),
            ("FailedPrecondition: etcdserver: bad leader transferee", new MoveLeaderRequest { TargetID = 1 }),
            ("InvalidArgument: etcdserver: wrong downgrade target version format", new DowngradeRequest { Action = Downgrade.Validate, Version = "soon" }),
            ("InvalidArgument: etcdserver: invalid downgrade target version", new DowngradeRequest { Action = Downgrade.Validate, Version = "1.0" }),
            ("FailedPrecondition: etcdserver: no inflight downgrade job", new DowngradeRequest { Action = Downgrade.Cancel }),
        ];
        foreach (var (error, request) in rows)
            await HearAsync(error, () => calls.CallAsync(request, null));

        await calls.CallAsync(new DowngradeRequest { Action = Downgrade.Enable, Version = "3.6" }, null);
        // From when on the cluster speaks 3.6.
        await HearInTimeAsync("FailedPrecondition: etcdserver: cluster has a downgrade job in progress", () => calls.CallAsync(new DowngradeRequest { Action = Downgrade.Enable, Version = "3.5" }, null));
        await calls.CallAsync(new AlarmRequest { Action = Action.Activate, Alarm = AlarmType.Corrupt, MemberID = 1 }, null);
        await HearAsync("DataLoss: etcdserver: corrupt cluster", () => calls.CallAsync(Put("a"), null));
        await HearBadVersionAsync(cluster[0]);
    }

    /// <summary>The version is to be UTF-8. A client of etcd's that says anything else is hard to find.</summary>
    async Task HearBadVersionAsync(MemberProcess member)
    {
        using var channel = GrpcChannel.ForAddress(member.ClientUrl, new() { HttpHandler = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 } });
        var bad = new Metadata { { "client-api-version", "3.7\u00ff" } };
        const string Error = "InvalidArgument: etcdserver: invalid client api version";
        await HearAsync(Error, () => new KV.KVClient(channel).RangeAsync(new() { Key = Key("a") }, bad, cancellationToken: Token).ResponseAsync);
        using var watch = new Watch.WatchClient(channel).Watch(bad, cancellationToken: Token);
        await HearAsync(Error, () => watch.ResponseStream.MoveNext(Token));
    }

    /// <summary>Users and roles, first without and then with authentication.</summary>
    async Task UsersAsync()
    {
        await using var cluster = await StartAsync(1, "--bcrypt-cost", "4");
        using var calls = new Calls(cluster[0]);
        const string Root = UserRequests.Root;
        await HearAsync("FailedPrecondition: etcdserver: root user does not exist", () => calls.CallAsync(new AuthEnableRequest(), null));
        foreach (var before in (IMessage[])[User(Root), User("bob"), new AuthRoleAddRequest { Name = "r" }])
            await calls.CallAsync(before, null);
        (string Error, IMessage Request)[] rows =
        [
            ("FailedPrecondition: etcdserver: root user does not have root role", new AuthEnableRequest()),
            ("FailedPrecondition: etcdserver: authentication is not enabled", new AuthenticateRequest { Name = "bob", Password = "bob" }),
            ("InvalidArgument: etcdserver: user name is empty", User("")),
            ("FailedPrecondition: etcdserver: user name already exists", User("bob")),
            ("FailedPrecondition: etcdserver: user name not found", new AuthUserGetRequest { Name = "zed" }),
            ("InvalidArgument: etcdserver: role name is empty", new AuthRoleAddRequest()),
            ("FailedPrecondition: etcdserver: role name already exists", new AuthRoleAddRequest { Name = "r" }),
            ("FailedPrecondition: etcdserver: role name not found", new AuthRoleGetRequest { Role = "zed" }),
            ("InvalidArgument: etcdserver: permission not given", new AuthRoleGrantPermissionRequest { Name = "r" }),
            ("FailedPrecondition: etcdserver: role is not granted to the user", new AuthUserRevokeRoleRequest { Name = "bob", Role = "r" }),
            ("FailedPrecondition: etcdserver: permission is not granted to the role", new AuthRoleRevokePermissionRequest { Role = "r", Key = Key("a") }),
        ];
        foreach (var (error, request) in rows)
            await HearAsync(error, () => calls.CallAsync(request, null));

        foreach (var before in (IMessage[])[new AuthUserGrantRoleRequest { User = Root, Role = Root }, new AuthEnableRequest(), LogIn(Root), LogIn("bob")])
            await calls.CallAsync(before, null);
        (string Error, IMessage Request, string? As)[] guarded =
        [
            ("InvalidArgument: etcdserver: authentication failed, invalid user ID or password", new AuthenticateRequest { Name = "bob", Password = "wrong" }, null),
            ("PermissionDenied: etcdserver: permission denied", new RangeRequest { Key = Key("a") }, "bob"),
            ("Unauthenticated: etcdserver: invalid auth token", new RangeRequest { Key = Key("a") }, Step.Stranger),
            ("InvalidArgument: etcdserver: invalid auth management", new AuthUserDeleteRequest { Name = Root }, Root),
        ];
        foreach (var (error, request, user) in guarded)
            await HearAsync(error, () => calls.CallAsync(request, user));
    }

    /// <summary>Only a signed token says of which revision of users and roles it is.</summary>
    async Task SignedTokensAsync()
    {
        var key = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(key, RandomNumberGenerator.GetBytes(40));
            await using var cluster = await StartAsync(1, "--bcrypt-cost", "4", "--auth-token", $"jwt,sign-method=HS256,priv-key={key}");
            using var calls = new Calls(cluster[0]);
            foreach (var (request, user) in ((IMessage, string?)[])
                [
                    (User("root"), null), (new AuthUserGrantRoleRequest { User = "root", Role = "root" }, null), (new AuthEnableRequest(), null),
                    (LogIn("root"), null), (new AuthRoleAddRequest { Name = "later" }, "root"),
                ])
                await calls.CallAsync(request, user);
            await HearAsync("InvalidArgument: etcdserver: revision of auth store is old", () => calls.CallAsync(Put("a"), "root"));
        }
        finally
        {
            File.Delete(key);
        }
    }

    async Task FullAsync()
    {
        await using var cluster = await StartAsync(1, "--quota-backend-bytes", "100000");
        using var calls = new Calls(cluster[0]);
        await calls.CallAsync(new PutRequest { Key = Key("a"), Value = ByteString.CopyFrom(new byte[90_000]) }, null);
        await HearAsync("ResourceExhausted: etcdserver: mvcc: database space exceeded", () => calls.CallAsync(new PutRequest { Key = Key("b"), Value = ByteString.CopyFrom(new byte[90_000]) }, null));
        // It would not come to the put, but it might have.
        var lost = Txn(Put("b"));
        lost.Compare.Add(new Compare { Key = Key("a"), Target = Compare.Types.CompareTarget.Version, Version = 77 });
        await HearAsync("ResourceExhausted: etcdserver: mvcc: database space exceeded", () => calls.CallAsync(lost, null));
    }

    /// <summary>A member, then a learner beside it, then a second member that never comes.</summary>
    async Task MembersAsync()
    {
        await using var cluster = await StartAsync(1);
        using var calls = new Calls(cluster[0]);
        var own = ((MemberListResponse)await calls.CallAsync(new MemberListRequest(), null)).Members[0].ID;
        var (client, peer) = (Ports.Take(), Ports.Take());
        var learner = ((MemberAddResponse)await calls.CallAsync(new MemberAddRequest { IsLearner = true, PeerURLs = { $"http://127.0.0.1:{peer}" } }, null)).Member.ID;
        (string Error, IMessage Request)[] rows =
        [
            ("InvalidArgument: etcdserver: given member URLs are invalid", new MemberAddRequest { PeerURLs = { "nonsense" } }),
            ("FailedPrecondition: etcdserver: Peer URLs already exists", new MemberAddRequest { PeerURLs = { cluster[0].PeerUrl } }),
            ("NotFound: etcdserver: member not found", new MemberRemoveRequest { ID = 1 }),
            ("FailedPrecondition: etcdserver: can only promote a learner member", new MemberPromoteRequest { ID = own }),
            ("FailedPrecondition: etcdserver: can only promote a learner member which is in sync with leader", new MemberPromoteRequest { ID = learner }),
            ("FailedPrecondition: etcdserver: too many learner members in cluster", new MemberAddRequest { IsLearner = true, PeerURLs = { "http://127.0.0.1:1" } }),
        ];
        foreach (var (error, request) in rows)
            await HearAsync(error, () => calls.CallAsync(request, null));

        var joined = cluster.Join("learner", client, peer);
        joined.Start();
        using (var atLearner = new Calls(joined))
            await HearInTimeAsync("FailedPrecondition: etcdserver: rpc not supported for learner", () => atLearner.CallAsync(Put("a"), null));

        await calls.CallAsync(new MemberRemoveRequest { ID = learner }, null);
        await calls.CallAsync(new MemberAddRequest { PeerURLs = { "http://127.0.0.1:1" } }, null);
        await HearAsync(
            "FailedPrecondition: etcdserver: re-configuration failed due to not enough started members", () => calls.CallAsync(new MemberAddRequest { PeerURLs = { "http://127.0.0.1:2" } }, null));
        using var watch = new Watch.WatchClient(calls.Channel).Watch(new Metadata { { "hasleader", "true" } }, cancellationToken: Token);
        await HearAsync("Unavailable: etcdserver: no leader", () => watch.ResponseStream.MoveNext(Token));
        using var last = new Watch.WatchClient(calls.Channel).Watch(cancellationToken: Token);
        await last.RequestStream.WriteAsync(new() { CreateRequest = new() { Key = Key("a") } }, Token);
        Assert.True(await last.ResponseStream.MoveNext(Token));
        var stopping = cluster[0].StopAsync();
        await HearAsync("Unavailable: etcdserver: server stopped", () => last.ResponseStream.MoveNext(Token));
        await stopping;
    }

    /// <summary>Three members, of which some stand still.</summary>
    async Task ElectionsAsync()
    {
        await using var cluster = await StartAsync(3);
        var leader = await cluster.LeaderAsync(Token);
        var followers = cluster.Members.Where(member => member != leader).ToArray();
        using var atLeader = new Calls(leader);
        using var atFollower = new Calls(followers[0]);
        var heir = (await followers[1].StatusAsync(Token)).Header.MemberId;
        await HearAsync("FailedPrecondition: etcdserver: not leader", () => atFollower.CallAsync(new MoveLeaderRequest { TargetID = heir }, null));

        followers[1].Pause();
        var first = atLeader.CallAsync(new MoveLeaderRequest { TargetID = heir }, null);
        // Either of the two comes first.
        var second = atLeader.CallAsync(new MoveLeaderRequest { TargetID = heir }, null);
        var refused = await Task.WhenAny(first, second);
        await HearAsync("ResourceExhausted: etcdserver: too many requests", () => refused);
        await HearAsync("Unavailable: etcdserver: request timed out", () => refused == first ? second : first);
        followers[1].Resume();

        await cluster.WaitUntilReadyAsync(Token);
        leader = await cluster.LeaderAsync(Token);
        followers = [.. cluster.Members.Where(member => member != leader)];
        using var beside = new Calls(followers[0]);
        leader.Pause();
        // What it has not taken in before it stood still nobody will.
        var put = beside.CallAsync(Put("b"), null);
        await HearAsync("Unavailable: etcdserver: request timed out, possibly due to previous leader failure", () => put);
        leader.Kill();
        await HearInTimeAsync("Unavailable: etcdserver: unhealthy cluster", () => beside.CallAsync(new MemberAddRequest { PeerURLs = { "http://127.0.0.1:1" } }, null));
    }

    static Task<LoopbackCluster> StartAsync(int members, params string[] flags) => LoopbackCluster.StartAsync(Product.Store, members, Token, null, flags);

    async Task HearAsync(string error, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => call().WaitAsync(Patience, Token));
        Assert.Equal(error, $"{refused.StatusCode}: {refused.Status.Detail}");
        heard.Add(error);
    }

    /// <summary>At first something else may be the matter.</summary>
    async Task HearInTimeAsync(string error, Func<Task> call)
    {
        var until = DateTime.UtcNow + Patience;
        while (true)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => call().WaitAsync(Patience, Token));
            if ($"{refused.StatusCode}: {refused.Status.Detail}" == error)
                break;
            Assert.True(DateTime.UtcNow < until, $"{error}: never heard, but {refused.Status}");
            await Task.Delay(50, Token);
        }
        heard.Add(error);
    }

    static ByteString Key(string text) => ByteString.CopyFromUtf8(text);

    static PutRequest Put(string key) => new() { Key = Key(key) };

    static TxnRequest Txn(params PutRequest[] puts) => new() { Success = { puts.Select(put => new RequestOp { RequestPut = put }) } };

    static AuthUserAddRequest User(string name) => new() { Name = name, Password = name, Options = new UserAddOptions() };

    static AuthenticateRequest LogIn(string name) => new() { Name = name, Password = name };
}
