using Xunit;
using PermissionType = Store.Protocol.Authpb.Permission.Types.Type;

namespace Store.State.Tests;

/// <summary>Users and roles as replicated state.</summary>
public class AuthTableTests
{
    [Fact]
    public void Authentication_needs_a_root_user_with_the_role_root()
    {
        var machine = new Machine();
        Assert.Equal(StoreError.RootUserNotExist, machine.Run(new() { AuthEnable = new() }).Error);
        machine.AddUser("root");
        Assert.Equal(StoreError.RootRoleNotExist, machine.Run(new() { AuthEnable = new() }).Error);
        machine.GrantRole("root", "root");
        Assert.Equal(StoreError.None, machine.Run(new() { AuthEnable = new() }).Error);
    }

    [Fact]
    public void Every_change_raises_the_revision_but_switching_on_and_what_changes_nothing()
    {
        var machine = new Machine();
        Assert.Equal(1ul, machine.View.Auth.Revision);
        machine.AddUser("root", "root");
        Assert.Equal(3ul, machine.View.Auth.Revision);
        machine.GrantRole("root", "root");
        machine.AddUser("root");
        machine.Run(new() { AuthEnable = new() });
        Assert.Equal(3ul, machine.View.Auth.Revision);
        machine.RunAs("root", new() { AuthDisable = new() });
        Assert.Equal(4ul, machine.View.Auth.Revision);
    }

    [Fact]
    public void Everything_is_there_again_after_a_restart()
    {
        var machine = AuthMachine.Guarded();
        var (before, hash) = (machine.View.Auth, machine.View.StateHash);
        machine.Reopen();
        var after = machine.View.Auth;
        Assert.Equal((before.Enabled, before.Revision, before.EnabledSince, hash), (after.Enabled, after.Revision, after.EnabledSince, machine.View.StateHash));
        Assert.Equal(before.UsersInOrder.Select(user => user.ToMessage()), after.UsersInOrder.Select(user => user.ToMessage()));
        Assert.Equal(before.RolesInOrder.Select(role => role.ToMessage()), after.RolesInOrder.Select(role => role.ToMessage()));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("reader", new() { Put = new() { Key = Machine.Text("b") } }));
    }

    [Fact]
    public void A_deleted_role_is_gone_from_its_users()
    {
        var machine = AuthMachine.Guarded();
        machine.RunAs("root", new() { RoleDelete = new() { Role = "writes" } });
        Assert.Empty(machine.View.Auth.Users["writer"].Roles);
        machine.RunAs("root", new() { RoleAdd = new() { Name = "writes" } });
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("b") } }));
    }

    /// <summary>etcd adds a second permission when another one of the same key stands before it; to take "write" back by granting "read" must work.</summary>
    [Fact]
    public void A_permission_for_the_same_range_is_replaced()
    {
        var machine = new Machine();
        machine.AddRole("r");
        machine.Permit("r", PermissionType.Read, "a", "m");
        machine.Permit("r", PermissionType.Readwrite, "a", "z");
        machine.Permit("r", PermissionType.Read, "a", "z");
        Assert.Equal([PermissionType.Read, PermissionType.Read], machine.View.Auth.Roles["r"].Permissions.Select(each => each.Type));
    }

    [Fact]
    public void A_login_ends_with_the_password_the_user_or_authentication()
    {
        var machine = AuthMachine.Guarded();
        var login = machine.View.Auth.Revision;
        machine.RunAs("root", new() { UserAdd = new() { Name = "other" } });
        Assert.True(machine.View.Auth.IsLoggedIn("writer", login));
        machine.RunAs("root", new() { UserChangePassword = new() { Name = "writer", Hash = Machine.Text("new") } });
        Assert.False(machine.View.Auth.IsLoggedIn("writer", login));
        Assert.True(machine.View.Auth.IsLoggedIn("reader", login));
        machine.RunAs("root", new() { UserDelete = new() { Name = "reader" } });
        Assert.False(machine.View.Auth.IsLoggedIn("reader", login));
        machine.RunAs("root", new() { AuthDisable = new() });
        machine.Run(new() { AuthEnable = new() });
        Assert.False(machine.View.Auth.IsLoggedIn("root", login));
    }
}
