using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>
/// etcdserverpb.Auth (contract 1.10). Changes go through the log, and passwords only as hashes: in clear they live for the one request and stand nowhere else.
/// What is only looked up is answered from a confirmed view.
/// </summary>
sealed class AuthService(MemberIdentity identity, ReplicaLoop loop, ITokens tokens, PasswordHashing passwords, ILogger logger)
{
    public IEnumerable<UnaryMethod> Methods =>
    [
        UnaryMethod.Of("Auth", "AuthEnable", AuthEnableRequest.Parser, EnableAsync),
        UnaryMethod.Of("Auth", "AuthDisable", AuthDisableRequest.Parser, DisableAsync),
        UnaryMethod.Of("Auth", "AuthStatus", AuthStatusRequest.Parser, StatusAsync),
        UnaryMethod.Of("Auth", "Authenticate", AuthenticateRequest.Parser, AuthenticateAsync),
        UnaryMethod.Of("Auth", "UserAdd", AuthUserAddRequest.Parser, AddUserAsync),
        UnaryMethod.Of("Auth", "UserGet", AuthUserGetRequest.Parser, GetUserAsync),
        UnaryMethod.Of("Auth", "UserList", AuthUserListRequest.Parser, ListUsersAsync),
        UnaryMethod.Of("Auth", "UserDelete", AuthUserDeleteRequest.Parser, DeleteUserAsync),
        UnaryMethod.Of("Auth", "UserChangePassword", AuthUserChangePasswordRequest.Parser, ChangePasswordAsync),
        UnaryMethod.Of("Auth", "UserGrantRole", AuthUserGrantRoleRequest.Parser, GrantRoleAsync),
        UnaryMethod.Of("Auth", "UserRevokeRole", AuthUserRevokeRoleRequest.Parser, RevokeRoleAsync),
        UnaryMethod.Of("Auth", "RoleAdd", AuthRoleAddRequest.Parser, AddRoleAsync),
        UnaryMethod.Of("Auth", "RoleGet", AuthRoleGetRequest.Parser, GetRoleAsync),
        UnaryMethod.Of("Auth", "RoleList", AuthRoleListRequest.Parser, ListRolesAsync),
        UnaryMethod.Of("Auth", "RoleDelete", AuthRoleDeleteRequest.Parser, DeleteRoleAsync),
        UnaryMethod.Of("Auth", "RoleGrantPermission", AuthRoleGrantPermissionRequest.Parser, GrantPermissionAsync),
        UnaryMethod.Of("Auth", "RoleRevokePermission", AuthRoleRevokePermissionRequest.Parser, RevokePermissionAsync),
    ];

    ValueTask<Answer> EnableAsync(AuthEnableRequest request, Caller caller) =>
        ProposeAsync<AuthEnableResponse>(new() { AuthEnable = request }, caller, r => r.Header);

    ValueTask<Answer> DisableAsync(AuthDisableRequest request, Caller caller) =>
        ProposeAsync<AuthDisableResponse>(new() { AuthDisable = request }, caller, r => r.Header);

    async ValueTask<Answer> StatusAsync(AuthStatusRequest request, Caller caller) =>
        await ReadAsync(caller, view => Answer.Of(new AuthStatusResponse { Header = Header(view), Enabled = view.Auth.Enabled, AuthRevision = view.Auth.Revision }));

    /// <summary>
    /// AuthNotEnabled, AuthFailed, NoPasswordUser. The hash is checked outside the log, so it may be an old one by the time the token is granted: then the login
    /// begins anew, as in etcd.
    /// </summary>
    async ValueTask<Answer> AuthenticateAsync(AuthenticateRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        if (await loop.ReadIndexAsync(caller.Aborted) is not StoreError.None and var notReady) return notReady;
        while (true)
        {
            var auth = loop.View.Auth;
            if (!auth.Enabled) return StoreError.AuthNotEnabled;
            if (await CheckPasswordAsync(auth, request, caller) is not StoreError.None and var wrong)
            {
                Log.LoginRefused(logger, request.Name, StatusMapping.ToStatus(wrong).Detail);
                return wrong;
            }
            var (error, token) = await tokens.IssueAsync(request.Name, auth.Revision);
            if (error != StoreError.None) return error;
            if (loop.View.Auth.Revision == auth.Revision) return Answer.Of(new AuthenticateResponse { Header = Header(loop.View), Token = token });
        }
    }

    async Task<StoreError> CheckPasswordAsync(AuthView auth, AuthenticateRequest request, Caller caller)
    {
        if (!auth.Users.TryGetValue(request.Name, out var user)) return StoreError.AuthFailed;
        if (user.NoPassword) return StoreError.NoPasswordUser;
        return await passwords.VerifyAsync(request.Password, user.PasswordHash, caller.Aborted) ? StoreError.None : StoreError.AuthFailed;
    }

    async ValueTask<Answer> AddUserAsync(AuthUserAddRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        if (RequestValidation.CheckName(request.Name) is not StoreError.None and var unfit) return unfit;
        var user = new UserPassword { Name = request.Name, NoPassword = request.Options?.NoPassword ?? false };
        if (!user.NoPassword)
        {
            var (error, hash) = await passwords.HashAsync(request.Password, caller.Aborted);
            if (error != StoreError.None) return error;
            user.Hash = ByteString.CopyFromUtf8(hash);
        }
        return await ProposeAsync<AuthUserAddResponse>(new() { UserAdd = user }, caller, r => r.Header);
    }

    /// <summary>A client may bring the hash itself, in base64, as etcd allows.</summary>
    async ValueTask<Answer> ChangePasswordAsync(AuthUserChangePasswordRequest request, Caller caller)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        var user = new UserPassword { Name = request.Name };
        if (request.Password.Length > 0)
        {
            var (error, hash) = await passwords.HashAsync(request.Password, caller.Aborted);
            if (error != StoreError.None) return error;
            user.Hash = ByteString.CopyFromUtf8(hash);
        }
        else
        {
            var bytes = new byte[request.HashedPassword.Length];
            if (!Convert.TryFromBase64String(request.HashedPassword, bytes, out var count)) return StoreError.NoPasswordUser;
            user.Hash = ByteString.CopyFrom(bytes.AsSpan(0, count));
        }
        return await ProposeAsync<AuthUserChangePasswordResponse>(new() { UserChangePassword = user }, caller, r => r.Header);
    }

    async ValueTask<Answer> GetUserAsync(AuthUserGetRequest request, Caller caller) => await ReadAsync(caller, view =>
        view.Auth.Users.TryGetValue(request.Name, out var user) ? Answer.Of(new AuthUserGetResponse { Header = Header(view), Roles = { user.Roles } }) : StoreError.UserNotFound);

    async ValueTask<Answer> ListUsersAsync(AuthUserListRequest request, Caller caller) => await ReadAsync(caller, view =>
        Answer.Of(new AuthUserListResponse { Header = Header(view), Users = { view.Auth.UsersInOrder.Select(user => user.Name) } }));

    ValueTask<Answer> DeleteUserAsync(AuthUserDeleteRequest request, Caller caller) =>
        ProposeAsync<AuthUserDeleteResponse>(new() { UserDelete = request }, caller, r => r.Header);

    ValueTask<Answer> GrantRoleAsync(AuthUserGrantRoleRequest request, Caller caller) =>
        ProposeAsync<AuthUserGrantRoleResponse>(new() { UserGrantRole = request }, caller, r => r.Header);

    ValueTask<Answer> RevokeRoleAsync(AuthUserRevokeRoleRequest request, Caller caller) =>
        ProposeAsync<AuthUserRevokeRoleResponse>(new() { UserRevokeRole = request }, caller, r => r.Header);

    ValueTask<Answer> AddRoleAsync(AuthRoleAddRequest request, Caller caller) =>
        RequestValidation.CheckName(request.Name) is not StoreError.None and var unfit ? new(unfit)
        : ProposeAsync<AuthRoleAddResponse>(new() { RoleAdd = request }, caller, r => r.Header);

    async ValueTask<Answer> GetRoleAsync(AuthRoleGetRequest request, Caller caller) => await ReadAsync(caller, view =>
        view.Auth.Roles.TryGetValue(request.Role, out var role)
            ? Answer.Of(new AuthRoleGetResponse { Header = Header(view), Perm = { role.Name == AuthView.Root ? [RootPermission] : role.Permissions.Select(each => each.ToMessage()) } })
            : StoreError.RoleNotFound);

    async ValueTask<Answer> ListRolesAsync(AuthRoleListRequest request, Caller caller) => await ReadAsync(caller, view =>
        Answer.Of(new AuthRoleListResponse { Header = Header(view), Roles = { view.Auth.RolesInOrder.Select(role => role.Name) } }));

    ValueTask<Answer> DeleteRoleAsync(AuthRoleDeleteRequest request, Caller caller) =>
        ProposeAsync<AuthRoleDeleteResponse>(new() { RoleDelete = request }, caller, r => r.Header);

    ValueTask<Answer> GrantPermissionAsync(AuthRoleGrantPermissionRequest request, Caller caller) =>
        ProposeAsync<AuthRoleGrantPermissionResponse>(new() { RoleGrantPermission = request }, caller, r => r.Header);

    ValueTask<Answer> RevokePermissionAsync(AuthRoleRevokePermissionRequest request, Caller caller) =>
        ProposeAsync<AuthRoleRevokePermissionResponse>(new() { RoleRevokePermission = request }, caller, r => r.Header);

    async ValueTask<Answer> ReadAsync(Caller caller, Func<StateView, Answer> read)
    {
        if (loop.IsLearner) return StoreError.NotSupportedForLearner;
        if (await loop.ReadIndexAsync(caller.Aborted) is not StoreError.None and var notReady) return notReady;
        return read(loop.View);
    }

    ValueTask<Answer> ProposeAsync<TResponse>(Command command, Caller caller, Func<TResponse, ResponseHeader> headerOf)
        where TResponse : class, IMessage
    {
        if (loop.IsLearner) return new(StoreError.NotSupportedForLearner);
        return loop.ProposeAsync(command, caller, identity, headerOf);
    }

    ResponseHeader Header(StateView view) => identity.Header(view.Revision, loop.Status.Term);

    static Protocol.Authpb.Permission RootPermission => new() { PermType = Protocol.Authpb.Permission.Types.Type.Readwrite, RangeEnd = ByteString.CopyFrom(0) };
}
