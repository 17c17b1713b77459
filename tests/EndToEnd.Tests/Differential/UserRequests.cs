using Google.Protobuf;
using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>Requests about users and roles, and who asks for anything else.</summary>
/// <param name="guarded">Whether authentication is to be on.</param>
sealed class UserRequests(Random random, ByteString[] keys, bool guarded)
{
    public const string Root = "root";

    static readonly string[] Users = [Root, "alice", "bob", "carol"];
    static readonly string[] Roles = [Root, "reader", "writer", "clerk"];
    static readonly string[] Passwords = ["secret", "geheim", "p"];

    /// <summary>What it takes to have authentication on, and somebody who may do a part.</summary>
    public IEnumerable<Step> First() => !guarded ? [] : ((IMessage[])
    [
        new AuthUserAddRequest { Name = Root, Password = Passwords[0] },
        new AuthRoleAddRequest { Name = Root },
        new AuthUserGrantRoleRequest { User = Root, Role = Root },
        new AuthUserAddRequest { Name = "alice", Password = Passwords[1] },
        new AuthRoleAddRequest { Name = "writer" },
        new AuthUserGrantRoleRequest { User = "alice", Role = "writer" },
        Grant("writer"),
        Grant("writer"),
        new AuthEnableRequest(),
    ]).Select(request => new Step.Unary(request));

    /// <summary>Null: it is the turn of something else.</summary>
    public Step? Next(Knowledge known)
    {
        if (!guarded)
            return Chance(1) ? About(known) : null;
        if (known.AuthEnabled && (Chance(40) || !known.LoggedIn.Contains(Root)) && Users.FirstOrDefault(user => known.Passwords.GetValueOrDefault(user) is not null && !known.LoggedIn.Contains(user)) is { } away)
            return new Step.Unary(new AuthenticateRequest { Name = away, Password = known.Passwords[away] });
        return Chance(known.AuthEnabled ? 15 : 50) ? About(known) : null;
    }

    /// <summary>What etcd 3.5 answers to administrators alone, and the store, as etcd does by now, to every user: it is for root to ask.</summary>
    public static bool IsOpenedLater(IMessage request) => request is StatusRequest or MemberListRequest or AuthStatusRequest or AlarmRequest { Action: AlarmRequest.Types.AlarmAction.Get };

    /// <summary>Who asks for something of the keys or the cluster. While an alarm stands etcd 3.5 lets everybody do everything (3.6 does not): it is for root to ask.</summary>
    public string? Asker(Knowledge known) => !known.AuthEnabled ? (Chance(2) ? Pick(Users) : null) : known.Alarms.Count > 0 ? Root : random.Next(100) switch
    {
        < 55 => Root,
        < 80 => "alice",
        < 95 => Pick(Users),
        < 97 => Step.Stranger,
        _ => null,
    };

    Step.Unary About(Knowledge known)
    {
        var request = Request(known);
        if (request is AuthenticateRequest login && known.PasswordlessBefore.Contains(login.Name))
            login.Name = Root;
        return new(request, Json: Chance(7)) { As = known.AuthEnabled && (IsOpenedLater(request) || Chance(85)) ? Root : Asker(known) };
    }

    IMessage Request(Knowledge known) => random.Next(100) switch
    {
        < 10 => new AuthUserAddRequest { Name = User(), Password = Pick(Passwords) },
        < 12 => new AuthUserAddRequest { Name = Pick(Users[1..]), Options = new UserAddOptions { NoPassword = true } },
        < 17 => new AuthUserDeleteRequest { Name = User() },
        < 22 => new AuthUserChangePasswordRequest { Name = User(), Password = Pick(Passwords) },
        < 30 => new AuthUserGrantRoleRequest { User = User(), Role = Role() },
        < 34 => new AuthUserRevokeRoleRequest { Name = User(), Role = Role() },
        < 39 => new AuthUserGetRequest { Name = User() },
        < 42 => new AuthUserListRequest(),
        < 49 => new AuthRoleAddRequest { Name = Role() },
        < 52 => new AuthRoleDeleteRequest { Role = Role() },
        < 66 => Grant(Role()),
        < 72 => Revoke(Role()),
        // The role root is described by what root may do since etcd 3.6.
        < 78 => new AuthRoleGetRequest { Role = Pick(Roles[1..]) },
        < 81 => new AuthRoleListRequest(),
        < 84 => new AuthStatusRequest(),
        < 90 => new AuthenticateRequest { Name = User(), Password = Pick(Passwords) },
        < 97 => guarded || known.AuthEnabled ? new AuthEnableRequest() : new AuthStatusRequest(),
        _ => new AuthDisableRequest(),
    };

    string User() => Chance(2) ? "" : Pick(Users);

    string Role() => Chance(2) ? "" : Pick(Roles);

    /// <summary>A key has the same end in each grant: with two ends for one key etcd, by their order, replaces the other's kind or has one range twice.</summary>
    AuthRoleGrantPermissionRequest Grant(string role)
    {
        var (key, end) = Extent();
        return new() { Name = role, Perm = new Permission { PermType = (Permission.Types.Type)random.Next(3), Key = key, RangeEnd = end } };
    }

    AuthRoleRevokePermissionRequest Revoke(string role)
    {
        var (key, end) = Extent();
        return new() { Role = role, Key = key, RangeEnd = end };
    }

    (ByteString Key, ByteString End) Extent()
    {
        // Few, so that grants and revocations meet.
        var n = random.Next(Math.Min(keys.Length, 8));
        var key = keys[n * (keys.Length / 8)];
        return (n % 4) switch
        {
            0 => (key, ByteString.CopyFrom(0)),
            1 => (key, keys[^1].Span.SequenceCompareTo(key.Span) > 0 ? keys[^1] : ByteString.Empty),
            _ => (key, ByteString.Empty),
        };
    }

    bool Chance(int percent) => random.Next(100) < percent;

    T Pick<T>(T[] from) => from[random.Next(from.Length)];
}
