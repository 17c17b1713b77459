using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Users, roles and passwords go with a snapshot from etcd to the store and back (contract 1.9, 1.10).</summary>
public sealed class AuthMigrationTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("auth-migration-").FullName;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Users_roles_and_passwords_move_to_the_store_and_back_while_authentication_is_on()
    {
        string before, after;
        await using (var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 1, Token))
        {
            var administrator = new Administrator(etcd[0]);
            await administrator.SetUpAsync();
            before = await administrator.DumpAsync(await administrator.LogInAsync("root", "r"));
            await SaveAsync(etcd[0], "from-etcd.db", "--user", "root:r");
        }

        await using (var store = await RestoreAsync(Product.Store, "from-etcd.db"))
        {
            var administrator = new Administrator(store[0]);
            var root = await administrator.LogInAsync("root", "r");
            Assert.Equal(before, await administrator.DumpAsync(root));
            await administrator.CheckAliceAsync("a");
            await administrator.Users.UserChangePasswordAsync(new() { Name = "alice", Password = "new" }, root, cancellationToken: Token);
            await administrator.Users.RoleDeleteAsync(new() { Role = "none" }, root, cancellationToken: Token);
            await administrator.CheckAliceAsync("new");
            after = await administrator.DumpAsync(root);
            await SaveAsync(store[0], "from-store.db", "--user", "root:r");
        }

        await using var back = await RestoreAsync(Product.Etcd, "from-store.db");
        var last = new Administrator(back[0]);
        Assert.Equal(after, await last.DumpAsync(await last.LogInAsync("root", "r")));
        await last.CheckAliceAsync("new");
    }

    [Fact]
    public async Task Users_stay_when_authentication_is_off_and_it_can_be_turned_on_afterwards()
    {
        await using (var store = await LoopbackCluster.StartAsync(Product.Store, 1, Token))
        {
            var administrator = new Administrator(store[0]);
            await administrator.SetUpAsync();
            await administrator.Users.AuthDisableAsync(new(), await administrator.LogInAsync("root", "r"), cancellationToken: Token);
            await SaveAsync(store[0], "off.db");
        }

        await using var etcd = await RestoreAsync(Product.Etcd, "off.db");
        var users = new Administrator(etcd[0]);
        Assert.Contains("enabled False", await users.DumpAsync([]), StringComparison.Ordinal);
        await users.Users.AuthEnableAsync(new(), cancellationToken: Token);
        await users.CheckAliceAsync("a");
    }

    /// <summary>Up to what etcd can keep; at a longer name it ends.</summary>
    [Fact]
    public async Task Names_near_and_over_the_size_of_a_page_move_to_etcd()
    {
        string[] names = [.. new[] { 1_000, 2_040, 3_000, 3_500, 4_000, 4_064, 4_065, 4_080, 4_096, 4_200, 8_192, 32_768 }.SelectMany(length => "abc".Select(first => $"{first}".PadRight(length, 'n')))];
        await using (var store = await LoopbackCluster.StartAsync(Product.Store, 1, Token))
        {
            var administrator = new Administrator(store[0]);
            foreach (var name in names)
            {
                await administrator.Users.UserAddAsync(new() { Name = name, Options = new() { NoPassword = true } }, cancellationToken: Token);
                await administrator.Users.RoleAddAsync(new() { Name = name }, cancellationToken: Token);
                await administrator.Users.UserGrantRoleAsync(new() { User = name, Role = name }, cancellationToken: Token);
            }
            var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => administrator.Users.RoleAddAsync(new() { Name = new('n', 32_769) }, cancellationToken: Token).ResponseAsync);
            Assert.Equal("etcdserver: request is too large", refused.Status.Detail);
            await SaveAsync(store[0], "long-names.db");
        }

        var status = await Shell.RunAsync(Binaries.Etcdutl, ["snapshot", "status", Path.Combine(folder, "long-names.db")], null, TimeSpan.FromSeconds(20), cancellationToken: Token);
        Assert.True(status.ExitCode == 0, $"{status}");
        await using var etcd = await RestoreAsync(Product.Etcd, "long-names.db");
        var users = new Administrator(etcd[0]).Users;
        Assert.Equal(names.Order(StringComparer.Ordinal), (await users.UserListAsync(new(), cancellationToken: Token)).Users);
        Assert.Equal(names.Order(StringComparer.Ordinal), (await users.RoleListAsync(new(), cancellationToken: Token)).Roles);
        foreach (var name in names)
            Assert.Equal([name], (await users.UserGetAsync(new() { Name = name }, cancellationToken: Token)).Roles);
    }

    async Task SaveAsync(MemberProcess member, string file, params string[] user)
    {
        var result = await Etcdctl.RunAsync("3.5", member.Endpoint, [.. user, "snapshot", "save", Path.Combine(folder, file)]);
        Assert.True(result.ExitCode == 0, $"{result}\n{member.LogTail()}");
    }

    async Task<LoopbackCluster> RestoreAsync(Product product, string file)
    {
        var cluster = LoopbackCluster.Create(product, 1);
        await SnapshotRestore.RunAsync(cluster, cluster[0], Path.Combine(folder, file));
        cluster[0].Start();
        await cluster.WaitUntilReadyAsync(Token);
        return cluster;
    }
}
