using Store.Protocol.Etcdserverpb;
using Xunit;
using PermissionType = Store.Protocol.Authpb.Permission.Types.Type;

namespace Store.State.Tests;

/// <summary>Who may do what (contract 1.10), asked of the state machine that applies the commands.</summary>
public class AuthorizationTests
{
    [Fact]
    public void Without_authentication_everybody_may_do_everything() => Assert.Equal(StoreError.None, new Machine().Put("a").Error);

    [Fact]
    public void Nobody_may_do_nothing()
    {
        var machine = AuthMachine.Guarded();
        Assert.Equal(StoreError.UserEmpty, machine.Put("a").Error);
        Assert.Equal(StoreError.UserEmpty, machine.Delete("a").Error);
        Assert.Equal(StoreError.UserEmpty, machine.Run(new() { Txn = new() { Success = { AuthMachine.Get("a") } } }).Error);
        Assert.Equal(StoreError.UserEmpty, machine.Run(new() { AuthDisable = new() }).Error);
        Assert.Equal("", machine.Dump());
    }

    [Fact]
    public void A_user_is_held_to_its_permissions()
    {
        var machine = AuthMachine.Guarded();
        Assert.Equal(StoreError.None, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("b") } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("c") } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("reader", new() { Put = new() { Key = Machine.Text("b") } }));
        Assert.Equal(StoreError.None, machine.RunAs("writer", new() { DeleteRange = new() { Key = Machine.Text("a"), RangeEnd = Machine.Text("c") } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { DeleteRange = new() { Key = Machine.Text("a"), RangeEnd = Machine.Text("d") } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { DeleteRange = new() { Key = Machine.Text("a"), RangeEnd = Machine.Text("\0") } }));
    }

    /// <summary>What was there before is something read.</summary>
    [Fact]
    public void Previous_values_need_permission_to_read()
    {
        var machine = AuthMachine.Guarded();
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("b"), PrevKv = true } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { DeleteRange = new() { Key = Machine.Text("b"), PrevKv = true } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Txn = new() { Success = { AuthMachine.Put("b", prevKv: true) } } }));
    }

    /// <summary>CVE-2026-33343, and the read by prev_kv in a nested put (etcd 3.6.11): both branches count, at any depth, taken or not.</summary>
    [Fact]
    public void Nested_transactions_hide_nothing()
    {
        var machine = AuthMachine.Guarded();
        TxnRequest[] hidden =
        [
            new() { Success = { AuthMachine.Put("x") } },
            new() { Failure = { AuthMachine.Put("x") } },
            new() { Success = { AuthMachine.Get("b") } },
            new() { Failure = { AuthMachine.Put("b", prevKv: true) } },
            new() { Compare = { new Compare { Key = Machine.Text("b") } } },
        ];
        foreach (var txn in hidden)
        {
            var deep = new TxnRequest { Success = { AuthMachine.Put("a"), new RequestOp { RequestTxn = new() { Failure = { new RequestOp { RequestTxn = txn } } } } } };
            Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Txn = txn }));
            Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Txn = deep }));
        }
        Assert.Equal("", machine.Dump());
    }

    /// <summary>CVE-2026-33413: these went unchecked.</summary>
    [Fact]
    public void Only_root_administers()
    {
        var machine = AuthMachine.Guarded();
        Protocol.Replicated.Command[] commands =
        [
            new() { Compaction = new() { Revision = 1 } }, new() { Alarm = new() { Action = AlarmRequest.Types.AlarmAction.Activate, Alarm = AlarmType.Nospace } },
            new() { UserAdd = new() { Name = "x" } }, new() { RoleAdd = new() { Name = "x" } }, new() { AuthDisable = new() }, new() { UserDelete = new() { Name = "writer" } },
            new() { UserChangePassword = new() { Name = "root" } }, new() { UserGrantRole = new() { User = "writer", Role = "root" } },
        ];
        foreach (var command in commands) Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", command));
        Assert.Equal(StoreError.None, machine.RunAs("root", commands[2]));
    }

    [Fact]
    public void A_lease_is_as_guarded_as_the_keys_that_hang_on_it()
    {
        var machine = AuthMachine.Guarded();
        Assert.Equal(StoreError.None, machine.RunAs("writer", new() { LeaseGrant = new() { ID = 7, TTL = 60 } }));
        Assert.Equal(StoreError.None, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("b"), Lease = 7 } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("reader", new() { LeaseRevoke = new() { ID = 7 } }));
        Assert.Equal(StoreError.None, machine.RunAs("root", new() { Put = new() { Key = Machine.Text("x"), Lease = 7 } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { LeaseRevoke = new() { ID = 7 } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("a"), Lease = 7 } }));
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Txn = new() { Success = { AuthMachine.Put("a", lease: 7) } } }));
    }

    /// <summary>(1) The lease runs out; (2) the leader proposes its revocation, in nobody's name.</summary>
    [Fact]
    public void What_the_cluster_does_by_itself_needs_no_user()
    {
        var machine = AuthMachine.Guarded();
        machine.RunAs("root", new() { LeaseGrant = new() { ID = 7, TTL = 60 } });
        machine.RunAs("root", new() { Put = new() { Key = Machine.Text("x"), Lease = 7 } });
        Assert.Equal(StoreError.None, machine.Revoke(7).Error);
        Assert.Equal("", machine.Dump());
    }

    /// <summary>(1) The door lets a put in; (2) the permission is revoked; (3) the put is applied.</summary>
    [Fact]
    public void A_command_that_was_let_in_before_a_change_is_refused_after_it()
    {
        var machine = AuthMachine.Guarded();
        var revision = machine.View.Auth.Revision;
        machine.RunAs("root", new() { RoleRevokePermission = new() { Role = "writes", Key = Machine.Text("a"), RangeEnd = Machine.Text("c") } });
        var late = machine.Run(new() { Username = "writer", AuthRevision = revision, Put = new() { Key = Machine.Text("b") } });
        Assert.Equal(StoreError.AuthRevisionOld, late.Error);
        Assert.Equal(StoreError.PermissionDenied, machine.RunAs("writer", new() { Put = new() { Key = Machine.Text("b") } }));
    }

    /// <summary>GHSA-xg4h-6gfc-h4m8: permission for one key is none for what lies behind it.</summary>
    [Fact]
    public void One_key_is_not_everything_from_it_on()
    {
        var machine = AuthMachine.Guarded();
        machine.RunAs("root", new() { RoleAdd = new() { Name = "one" } });
        machine.RunAs("root", new() { RoleGrantPermission = new() { Name = "one", Perm = new() { PermType = PermissionType.Read, Key = Machine.Text("k") } } });
        machine.RunAs("root", new() { UserGrantRole = new() { User = "reader", Role = "one" } });
        var auth = machine.View.Auth;
        StoreError Ask(string end) => Authorization.Check(auth, new("reader", auth.Revision), RequiredAccess.Read(Machine.Text("k"), Machine.Text(end)), _ => []);
        Assert.Equal(StoreError.None, Ask(""));
        Assert.Equal(StoreError.PermissionDenied, Ask("\0"));
        Assert.Equal(StoreError.PermissionDenied, Ask("z"));
    }
}
