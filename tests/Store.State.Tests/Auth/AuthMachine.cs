using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;

namespace Store.State.Tests;

/// <summary>What tests of users and roles say often.</summary>
static class AuthMachine
{
    public static StoreError AddUser(this Machine machine, string name, params string[] roles)
    {
        var error = machine.Run(new() { UserAdd = new() { Name = name, Hash = Machine.Text("hash of " + name) } }).Error;
        foreach (var role in roles) machine.GrantRole(name, role);
        return error;
    }

    public static StoreError GrantRole(this Machine machine, string user, string role) =>
        machine.Run(new() { UserGrantRole = new() { User = user, Role = role } }).Error;

    public static StoreError AddRole(this Machine machine, string name) => machine.Run(new() { RoleAdd = new() { Name = name } }).Error;

    public static StoreError Permit(this Machine machine, string role, Permission.Types.Type type, string key, string end = "") =>
        machine.Run(new() { RoleGrantPermission = new() { Name = role, Perm = new() { PermType = type, Key = Machine.Text(key), RangeEnd = Machine.Text(end) } } }).Error;

    /// <summary>Root, and a user "reader" who reads [a, c) and a user "writer" who writes it; authentication is on.</summary>
    public static Machine Guarded()
    {
        var machine = new Machine();
        machine.AddUser("root", "root");
        machine.AddRole("reads");
        machine.AddRole("writes");
        machine.Permit("reads", Permission.Types.Type.Read, "a", "c");
        machine.Permit("writes", Permission.Types.Type.Write, "a", "c");
        machine.AddUser("reader", "reads");
        machine.AddUser("writer", "writes");
        machine.Run(new() { AuthEnable = new() });
        return machine;
    }

    /// <summary>As the user, at the present auth revision.</summary>
    public static StoreError RunAs(this Machine machine, string user, Command command)
    {
        command.Username = user;
        command.AuthRevision = user.Length == 0 ? 0 : machine.View.Auth.Revision;
        return machine.Run(command).Error;
    }

    public static RequestOp Put(string key, bool prevKv = false, long lease = 0) =>
        new() { RequestPut = new() { Key = Machine.Text(key), PrevKv = prevKv, Lease = lease } };

    public static RequestOp Get(string key) => new() { RequestRange = new() { Key = Machine.Text(key) } };
}
