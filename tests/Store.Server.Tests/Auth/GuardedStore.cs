using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>A real member with root, a user "alice" who reads and writes [a, c), and a user "bob" who may do nothing; authentication is on. Each password is the name, "-secret".</summary>
sealed class GuardedStore : IAsyncDisposable
{
    GuardedStore(StoreUnderTest process)
    {
        Process = process;
        Channel = GrpcChannel.ForAddress(process.Url);
    }

    public StoreUnderTest Process { get; }

    public GrpcChannel Channel { get; }

    public Auth.AuthClient Users => new(Channel);

    public KV.KVClient Keys => new(Channel);

    public Lease.LeaseClient Leases => new(Channel);

    public Maintenance.MaintenanceClient Maintenance => new(Channel);

    public Metadata Root { get; private set; } = [];

    public Metadata Alice { get; private set; } = [];

    public Metadata Bob { get; private set; } = [];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<GuardedStore> StartAsync(params string[] flags)
    {
        var store = new GuardedStore(await StoreUnderTest.StartAsync(Token, ["--bcrypt-cost=4", .. flags]));
        try
        {
            await store.SetUpAsync();
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    async Task SetUpAsync()
    {
        foreach (var name in new[] { "root", "alice", "bob" }) await Users.UserAddAsync(new() { Name = name, Password = PasswordOf(name) }, cancellationToken: Token);
        await Users.UserGrantRoleAsync(new() { User = "root", Role = "root" }, cancellationToken: Token);
        await Users.RoleAddAsync(new() { Name = "ab" }, cancellationToken: Token);
        var permission = new Permission { PermType = Permission.Types.Type.Readwrite, Key = Text("a"), RangeEnd = Text("c") };
        await Users.RoleGrantPermissionAsync(new() { Name = "ab", Perm = permission }, cancellationToken: Token);
        await Users.UserGrantRoleAsync(new() { User = "alice", Role = "ab" }, cancellationToken: Token);
        await Users.AuthEnableAsync(new(), cancellationToken: Token);
        (Root, Alice, Bob) = (await LogInAsync("root"), await LogInAsync("alice"), await LogInAsync("bob"));
    }

    public static string PasswordOf(string name) => name + "-secret";

    public async Task<Metadata> LogInAsync(string name, string? password = null)
    {
        var answer = await Users.AuthenticateAsync(new() { Name = name, Password = password ?? PasswordOf(name) }, cancellationToken: Token);
        return new() { { "token", answer.Token } };
    }

    public async Task PutAsync(string key, Metadata who, long lease = 0) => await Keys.PutAsync(new() { Key = Text(key), Lease = lease }, who, cancellationToken: Token);

    public async Task<RangeResponse> GetAsync(string key, Metadata who, string end = "", bool serializable = false) =>
        await Keys.RangeAsync(new() { Key = Text(key), RangeEnd = Text(end), Serializable = serializable }, who, cancellationToken: Token);

    /// <summary>The call fails with this status, of etcd's words unless they are given in full.</summary>
    public static async Task RefusedAsync(StatusCode code, string text, Func<Task> call)
    {
        var status = (await Assert.ThrowsAnyAsync<RpcException>(call)).Status;
        Assert.Equal((code, text), (status.StatusCode, status.Detail));
    }

    public static Task DeniedAsync(Func<Task> call) => RefusedAsync(StatusCode.PermissionDenied, "etcdserver: permission denied", call);

    public static Task NamelessAsync(Func<Task> call) => RefusedAsync(StatusCode.InvalidArgument, "etcdserver: user name is empty", call);

    public static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await Process.DisposeAsync();
    }
}
