using Grpc.Core;
using Store.Protocol.Etcdserverpb;

namespace Operator.Controller;

/// <summary>The members' users, passwords and whether they count. Each change can be made twice.</summary>
sealed class UserClient(MemberClient members)
{
    public const string Root = "root";

    /// <summary>etcd's texts (contract 1.17) where the status code alone does not tell.</summary>
    const string Exists = "user name already exists";
    const string Unknown = "user name not found";

    /// <summary>Whether authentication is on, as a quorum says; null when this member cannot say.</summary>
    public async Task<bool?> IsEnabledAsync(MemberEndpoint address, CancellationToken cancellation)
    {
        var (client, options) = members.Users(address, null, cancellation);
        try
        {
            return (await client.AuthStatusAsync(new AuthStatusRequest(), options)).Enabled;
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <returns>A token, or whether the member says that the password is wrong; neither when it cannot say (a learner, no quorum, authentication is off).</returns>
    public async Task<(string? Token, bool Refused)> LogInAsync(MemberEndpoint address, string user, string password, CancellationToken cancellation)
    {
        var (client, options) = members.Users(address, null, cancellation);
        try
        {
            return ((await client.AuthenticateAsync(new AuthenticateRequest { Name = user, Password = password }, options)).Token, false);
        }
        catch (RpcException failure) when (!cancellation.IsCancellationRequested)
        {
            return (null, failure.StatusCode == StatusCode.InvalidArgument);
        }
    }

    /// <summary>The user exists with this password and the role root.</summary>
    /// <returns>Null, or what the store says against it.</returns>
    public Task<string?> KeepAdministratorAsync(MemberEndpoint address, string? token, string user, string password, CancellationToken cancellation) => MemberClient.ChangeAsync(async () =>
    {
        var (client, options) = members.Users(address, token, cancellation);
        if (!await IgnoringAsync(Exists, () => client.UserAddAsync(new AuthUserAddRequest { Name = user, Password = password, Options = new() }, options).ResponseAsync))
            await client.UserChangePasswordAsync(new AuthUserChangePasswordRequest { Name = user, Password = password }, options);
        await client.UserGrantRoleAsync(new AuthUserGrantRoleRequest { User = user, Role = Root }, options);
    }, cancellation);

    /// <inheritdoc cref="KeepAdministratorAsync"/>
    public Task<string?> SetPasswordAsync(MemberEndpoint address, string? token, string user, string password, CancellationToken cancellation) => MemberClient.ChangeAsync(async () =>
    {
        var (client, options) = members.Users(address, token, cancellation);
        await client.UserChangePasswordAsync(new AuthUserChangePasswordRequest { Name = user, Password = password }, options);
    }, cancellation);

    /// <inheritdoc cref="KeepAdministratorAsync"/>
    public Task<string?> DeleteAsync(MemberEndpoint address, string user, CancellationToken cancellation) => MemberClient.ChangeAsync(async () =>
    {
        var (client, options) = members.Users(address, null, cancellation);
        await IgnoringAsync(Unknown, () => client.UserDeleteAsync(new AuthUserDeleteRequest { Name = user }, options).ResponseAsync);
    }, cancellation);

    /// <inheritdoc cref="KeepAdministratorAsync"/>
    public Task<string?> EnableAsync(MemberEndpoint address, CancellationToken cancellation) => MemberClient.ChangeAsync(async () =>
    {
        var (client, options) = members.Users(address, null, cancellation);
        await client.AuthEnableAsync(new AuthEnableRequest(), options);
    }, cancellation);

    /// <inheritdoc cref="KeepAdministratorAsync"/>
    public Task<string?> DisableAsync(MemberEndpoint address, string? token, CancellationToken cancellation) => MemberClient.ChangeAsync(async () =>
    {
        var (client, options) = members.Users(address, token, cancellation);
        await client.AuthDisableAsync(new AuthDisableRequest(), options);
    }, cancellation);

    /// <returns>False when the store refused it with these words: it was so already.</returns>
    static async Task<bool> IgnoringAsync(string words, Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (RpcException failure) when (failure.StatusCode == StatusCode.FailedPrecondition && failure.Status.Detail.EndsWith(words, StringComparison.Ordinal))
        {
            return false;
        }
    }
}
