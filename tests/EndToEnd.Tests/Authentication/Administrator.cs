using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Sets users and roles up on a member of etcd or of the store, always in the same order, and looks at them.</summary>
sealed class Administrator(MemberProcess member)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    public Auth.AuthClient Users => new(member.Channel);

    public KV.KVClient Keys => new(member.Channel);

    /// <summary>Root ("r"), alice ("a") who reads and writes [a, c) and everything from "x" on and reads the key "single", and a machine without a password; keys; authentication is on.</summary>
    public async Task SetUpAsync()
    {
        foreach (var name in new[] { "root", "alice" }) await Users.UserAddAsync(new() { Name = name, Password = name[..1] }, cancellationToken: Token);
        await Users.UserAddAsync(new() { Name = "machine", Options = new() { NoPassword = true } }, cancellationToken: Token);
        await Users.UserGrantRoleAsync(new() { User = "root", Role = "root" }, cancellationToken: Token);
        foreach (var role in new[] { "some", "none" }) await Users.RoleAddAsync(new() { Name = role }, cancellationToken: Token);
        Permission[] permissions =
        [
            new() { PermType = Permission.Types.Type.Readwrite, Key = Text("a"), RangeEnd = Text("c") },
            new() { PermType = Permission.Types.Type.Readwrite, Key = Text("x"), RangeEnd = Text("\0") },
            new() { PermType = Permission.Types.Type.Read, Key = Text("single") },
        ];
        foreach (var permission in permissions) await Users.RoleGrantPermissionAsync(new() { Name = "some", Perm = permission }, cancellationToken: Token);
        foreach (var role in new[] { "some", "none" }) await Users.UserGrantRoleAsync(new() { User = "alice", Role = role }, cancellationToken: Token);
        foreach (var key in new[] { "a", "d", "single", "y" }) await Keys.PutAsync(new() { Key = Text(key) }, cancellationToken: Token);
        await Users.AuthEnableAsync(new(), cancellationToken: Token);
    }

    public async Task<Metadata> LogInAsync(string name, string password) =>
        new() { { "token", (await Users.AuthenticateAsync(new() { Name = name, Password = password }, cancellationToken: Token)).Token } };

    /// <summary>Alice may do what <see cref="SetUpAsync"/> says, and nothing else, and others nothing.</summary>
    public async Task CheckAliceAsync(string password)
    {
        var alice = await LogInAsync("alice", password);
        async Task<StatusCode> GetAsync(string key, Metadata who) => await CodeOfAsync(Keys.RangeAsync(new() { Key = Text(key) }, who, cancellationToken: Token).ResponseAsync);
        async Task<StatusCode> PutAsync(string key) => await CodeOfAsync(Keys.PutAsync(new() { Key = Text(key) }, alice, cancellationToken: Token).ResponseAsync);
        foreach (var key in new[] { "a", "bzz", "single", "x", "y" }) Assert.Equal((key, StatusCode.OK), (key, await GetAsync(key, alice)));
        foreach (var key in new[] { "c", "d", "singles", "w" }) Assert.Equal((key, StatusCode.PermissionDenied), (key, await GetAsync(key, alice)));
        Assert.Equal((StatusCode.OK, StatusCode.OK, StatusCode.PermissionDenied), (await PutAsync("a"), await PutAsync("y"), await PutAsync("single")));
        Assert.Equal(StatusCode.InvalidArgument, await GetAsync("a", []));
        Assert.Equal(StatusCode.InvalidArgument, await CodeOfAsync(LogInAsync("alice", "wrong")));
        Assert.Equal(StatusCode.Unknown, await CodeOfAsync(LogInAsync("machine", "")));
    }

    /// <summary>All that can be seen of users and roles, with the auth revision.</summary>
    public async Task<string> DumpAsync(Metadata root)
    {
        var text = new StringBuilder();
        var status = await Users.AuthStatusAsync(new(), root, cancellationToken: Token);
        text.Append(CultureInfo.InvariantCulture, $"enabled {status.Enabled}, revision {status.AuthRevision}\n");
        foreach (var name in (await Users.UserListAsync(new(), root, cancellationToken: Token)).Users)
            text.Append(CultureInfo.InvariantCulture, $"user {name}: {string.Join(' ', (await Users.UserGetAsync(new() { Name = name }, root, cancellationToken: Token)).Roles)}\n");
        foreach (var name in (await Users.RoleListAsync(new(), root, cancellationToken: Token)).Roles)
            text.Append(CultureInfo.InvariantCulture, $"role {name}: {string.Join(' ', (await Users.RoleGetAsync(new() { Role = name }, root, cancellationToken: Token)).Perm)}\n");
        return text.ToString();
    }

    static async Task<StatusCode> CodeOfAsync(Task call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
