using System.Text;
using Grpc.Core;
using Xunit;
using static Store.Server.Tests.GuardedStore;

namespace Store.Server.Tests;

/// <summary>Logins, tokens and passwords on a real member (contract 1.10).</summary>
public sealed class LoginTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("token-keys-").FullName;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Logging_in_needs_authentication_and_the_right_password()
    {
        await using var store = await GuardedStore.StartAsync();
        Task Failed(string name, string password) =>
            RefusedAsync(StatusCode.InvalidArgument, "etcdserver: authentication failed, invalid user ID or password", () => store.LogInAsync(name, password));
        await Failed("alice", "wrong");
        await Failed("alice", "");
        await Failed("nobody", "wrong");
        await store.Users.UserAddAsync(new() { Name = "machine", Options = new() { NoPassword = true } }, store.Root, cancellationToken: Token);
        await RefusedAsync(StatusCode.Unknown, "auth: authentication failed, password was given for no password user", () => store.LogInAsync("machine", ""));
        await RefusedAsync(StatusCode.InvalidArgument, "etcdserver: user name is empty", async () => await store.Users.UserAddAsync(new() { Password = "x" }, store.Root, cancellationToken: Token));
        await RefusedAsync(StatusCode.Unknown, "bcrypt: password length exceeds 72 bytes",
            async () => await store.Users.UserAddAsync(new() { Name = "long", Password = new string('x', 73) }, store.Root, cancellationToken: Token));
        await store.Users.AuthDisableAsync(new(), store.Root, cancellationToken: Token);
        await RefusedAsync(StatusCode.FailedPrecondition, "etcdserver: authentication is not enabled", () => store.LogInAsync("alice"));
        await store.PutAsync("x", []);
        await store.PutAsync("x", new() { { "token", "of no account" } });
    }

    [Fact]
    public async Task A_token_is_sixteen_letters_and_the_index_of_its_entry_and_ends_when_it_was_not_used_for_a_while()
    {
        await using var store = await GuardedStore.StartAsync("--auth-token-ttl=2");
        Assert.Matches("^[a-zA-Z]{16}\\.[0-9]+$", store.Alice.GetValue("token"));
        // Used all the time it outlives its two seconds.
        var end = DateTime.UtcNow.AddSeconds(4);
        while (DateTime.UtcNow < end)
        {
            await store.PutAsync("a", store.Alice);
            await Task.Delay(200, Token);
        }

        await InvalidAsync(() => store.PutAsync("a", store.Bob));
        await InvalidAsync(() => store.PutAsync("a", new() { { "token", "abcdefghijklmnop.9999999" } }));
        await InvalidAsync(() => store.PutAsync("a", new() { { "token", "" } }));
        await store.PutAsync("a", new() { { "authorization", store.Alice.GetValue("token")! } });
        await store.PutAsync("a", new() { { "authorization", "Bearer " + store.Alice.GetValue("token") } });
    }

    [Fact]
    public async Task A_login_ends_with_its_password_or_user_but_outlives_other_changes()
    {
        await using var store = await GuardedStore.StartAsync();
        await store.Users.UserAddAsync(new() { Name = "carol", Password = "c" }, store.Root, cancellationToken: Token);
        await store.PutAsync("a", store.Alice);
        await store.Users.UserChangePasswordAsync(new() { Name = "alice", Password = "new" }, store.Root, cancellationToken: Token);
        await InvalidAsync(() => store.PutAsync("a", store.Alice));
        var alice = await store.LogInAsync("alice", "new");
        await store.PutAsync("a", alice);
        await store.Users.UserRevokeRoleAsync(new() { Name = "alice", Role = "ab" }, store.Root, cancellationToken: Token);
        await DeniedAsync(() => store.PutAsync("a", alice));
        await store.Users.UserDeleteAsync(new() { Name = "alice" }, store.Root, cancellationToken: Token);
        await InvalidAsync(() => store.PutAsync("a", alice));
    }

    [Fact]
    public async Task A_signed_token_ends_with_its_time_and_is_old_after_a_change_of_users_or_roles()
    {
        var files = TokenKeyFile.Make("ES256");
        await File.WriteAllBytesAsync(Path.Combine(folder, "key"), files.Secret, Token);
        await using var store = await GuardedStore.StartAsync($"--auth-token=jwt,sign-method=ES256,priv-key={folder}/key,ttl=3s");
        await store.PutAsync("a", store.Alice);
        await DeniedAsync(() => store.PutAsync("x", store.Alice));
        await store.Users.UserAddAsync(new() { Name = "carol", Password = "c" }, store.Root, cancellationToken: Token);
        await RefusedAsync(StatusCode.InvalidArgument, "etcdserver: revision of auth store is old", () => store.PutAsync("a", store.Alice));
        await RefusedAsync(StatusCode.InvalidArgument, "etcdserver: revision of auth store is old", () => store.GetAsync("a", store.Alice));
        var alice = await store.LogInAsync("alice");
        await store.PutAsync("a", alice);
        var foreign = JsonWebToken.Write(new("root", 100, DateTimeOffset.UtcNow.AddMinutes(1)), TokenKeyFile.Make("ES256").Load("ES256"));
        await InvalidAsync(() => store.PutAsync("a", new() { { "token", foreign } }));
        await InvalidAsync(async () =>
        {
            for (var end = DateTimeOffset.UtcNow.AddSeconds(30); DateTimeOffset.UtcNow < end; await Task.Delay(50, Token)) await store.PutAsync("a", alice);
        });
    }

    [Fact]
    public async Task With_the_public_key_alone_tokens_are_taken_but_not_given()
    {
        var files = TokenKeyFile.Make("RS256");
        await File.WriteAllBytesAsync(Path.Combine(folder, "pub"), files.Open!, Token);
        var refused = await Assert.ThrowsAsync<RpcException>(() => GuardedStore.StartAsync($"--auth-token=jwt,sign-method=RS256,pub-key={folder}/pub"));
        Assert.Equal((StatusCode.Unknown, "auth: token signing attempted with verify-only key"), (refused.StatusCode, refused.Status.Detail));
    }

    /// <summary>CVE-2021-28235. Of a password there is the hash, and of a token nothing.</summary>
    [Fact]
    public async Task No_password_stands_in_logs_or_on_disk()
    {
        await using var store = await GuardedStore.StartAsync("--log-level=debug");
        await Assert.ThrowsAsync<RpcException>(() => store.LogInAsync("alice", "Wrong-Password-Of-Alice"));
        await store.Users.UserChangePasswordAsync(new() { Name = "bob", Password = "New-Password-Of-Bob" }, store.Root, cancellationToken: Token);
        await store.PutAsync("a", store.Alice);
        Assert.Equal(0, await store.Process.StopAsync(Token));
        string[] secrets = ["root-secret", "alice-secret", "bob-secret", "Wrong-Password-Of-Alice", "New-Password-Of-Bob"];
        var files = Directory.GetFiles(store.Process.Folder, "*", SearchOption.AllDirectories);
        var contents = files.Select(file => Encoding.Latin1.GetString(File.ReadAllBytes(file))).ToList();
        Assert.Contains(contents, text => text.Contains("$2a$04$", StringComparison.Ordinal));
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(contents, text => text.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, store.Process.Output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(store.Alice.GetValue("token")!, store.Process.Output, StringComparison.Ordinal);
    }

    static Task InvalidAsync(Func<Task> call) => RefusedAsync(StatusCode.Unauthenticated, "etcdserver: invalid auth token", call);
}
