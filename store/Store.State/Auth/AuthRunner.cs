using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.Raft;
using Kind = Store.Protocol.Replicated.Command.OperationOneofCase;

namespace Store.State;

/// <summary>Permission for commands, and the commands that change users and roles.</summary>
sealed class AuthRunner(AuthTable auth, LeaseTable leases)
{
    /// <summary>Off: no command is looked at.</summary>
    public bool Enabled => auth.View.Enabled;

    /// <summary>The second of the two checks: between the first, at the door, and here users may have lost their rights.</summary>
    public StoreError Check(Command command) =>
        RequiredAccess.Of(command) is { } required
            ? Authorization.Check(auth.View, new(command.Username, command.AuthRevision), required, id => leases.Find(id)?.Keys ?? [])
            : StoreError.None;

    /// <summary>False when the command is none of these. The response has its header's revision set.</summary>
    public bool TryRun(Command command, LogIndex index, long revision, out StoreError error, out IMessage? response)
    {
        var header = Responses.Header(revision);
        (error, response) = command.OperationCase switch
        {
            Kind.AuthEnable => (auth.Enable(), (IMessage)new AuthEnableResponse { Header = header }),
            Kind.AuthDisable => (Disable(), new AuthDisableResponse { Header = header }),
            Kind.TokenGrant => (CheckGrant(command.TokenGrant), new AuthenticateResponse { Header = header, Token = TokenOf(command.TokenGrant, index) }),
            Kind.UserAdd => (Add(command.UserAdd), new AuthUserAddResponse { Header = header }),
            Kind.UserChangePassword => (ChangePassword(command.UserChangePassword), new AuthUserChangePasswordResponse { Header = header }),
            Kind.UserDelete => (auth.DeleteUser(command.UserDelete.Name), new AuthUserDeleteResponse { Header = header }),
            Kind.UserGrantRole => (auth.GrantRole(command.UserGrantRole.User, command.UserGrantRole.Role), new AuthUserGrantRoleResponse { Header = header }),
            Kind.UserRevokeRole => (auth.RevokeRole(command.UserRevokeRole.Name, command.UserRevokeRole.Role), new AuthUserRevokeRoleResponse { Header = header }),
            Kind.RoleAdd => (auth.AddRole(command.RoleAdd.Name), new AuthRoleAddResponse { Header = header }),
            Kind.RoleDelete => (auth.DeleteRole(command.RoleDelete.Role), new AuthRoleDeleteResponse { Header = header }),
            Kind.RoleGrantPermission => (auth.GrantPermission(command.RoleGrantPermission), new AuthRoleGrantPermissionResponse { Header = header }),
            Kind.RoleRevokePermission => (auth.RevokePermission(command.RoleRevokePermission), new AuthRoleRevokePermissionResponse { Header = header }),
            _ => (StoreError.None, null),
        };
        return response is not null;
    }

    /// <summary>What a grant that was applied at this index gives every member to remember.</summary>
    public GrantedToken? GrantOf(Command command, LogIndex index) =>
        command.TokenGrant is { } grant ? new GrantedToken(TokenOf(grant, index), grant.User, auth.View.Revision) : null;

    StoreError Disable()
    {
        auth.Disable();
        return StoreError.None;
    }

    StoreError Add(UserPassword user) => auth.AddUser(user.Name, user.Hash.Memory, user.NoPassword);

    StoreError ChangePassword(UserPassword user) => auth.ChangePassword(user.Name, user.Hash.Memory);

    /// <summary>The password was checked before the grant was proposed; the user may be gone since.</summary>
    StoreError CheckGrant(TokenGrant grant) =>
        !auth.View.Enabled ? StoreError.AuthNotEnabled
        : auth.View.Users.TryGetValue(grant.User, out var user) && !user.NoPassword ? StoreError.None
        : StoreError.AuthFailed;

    static string TokenOf(TokenGrant grant, LogIndex index) => $"{grant.Secret}.{index.Value}";
}

/// <summary>A simple token that a member knows from the log. It is void once <see cref="AuthView.IsLoggedIn"/> says so of its user and revision.</summary>
public sealed record GrantedToken(string Token, string User, ulong Revision);
