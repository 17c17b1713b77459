using Google.Protobuf;
using Store.Protocol.Etcdserverpb;

namespace Operator.Tests;

/// <summary>What the members' gRPC says about users: the service Auth, and the door in front of the others.</summary>
static class SimulatedAuth
{
    const int InvalidArgument = 3;
    const int PermissionDenied = 7;
    const int FailedPrecondition = 9;
    const int Unauthenticated = 16;

    public const string Service = "/etcdserverpb.Auth/";

    /// <summary>Whether a call is a change that the log carries.</summary>
    public static bool Changes(string method) => method != Service + "AuthStatus";

    /// <summary>Lets nobody in whom the member does not know, and to changes nobody without the role root.</summary>
    public static void Pass(StoreProcess process, string method, string? token)
    {
        var users = process.Group.Users;
        if (!users.Enabled || method is Service + "AuthStatus" or Service + "Authenticate") return;
        if (token is null) throw new SimulatedRefusal(InvalidArgument, "etcdserver: user name is empty");
        var user = users.Find(process, token) ?? throw new SimulatedRefusal(Unauthenticated, "etcdserver: invalid auth token");
        if (!user.Root && method is not ("/etcdserverpb.Maintenance/Status" or "/etcdserverpb.Cluster/MemberList"))
            throw new SimulatedRefusal(PermissionDenied, "etcdserver: permission denied");
    }

    public static IMessage Answer(StoreProcess process, string method, byte[] body)
    {
        if (process.Group.Find(process.MemberId) is { Learner: true }) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: rpc not supported for learner");
        var users = process.Group.Users;
        return method[Service.Length..] switch
        {
            "AuthStatus" => new AuthStatusResponse { Enabled = users.Enabled },
            "Authenticate" => LogIn(process, AuthenticateRequest.Parser.ParseFrom(body)),
            "AuthEnable" => users.Enable() is { } refusal ? throw new SimulatedRefusal(FailedPrecondition, refusal) : new AuthEnableResponse(),
            "AuthDisable" => Disable(users),
            "UserAdd" => Add(users, AuthUserAddRequest.Parser.ParseFrom(body)),
            "UserDelete" => Delete(users, AuthUserDeleteRequest.Parser.ParseFrom(body).Name),
            "UserChangePassword" => Change(users, AuthUserChangePasswordRequest.Parser.ParseFrom(body)),
            "UserGrantRole" => Grant(users, AuthUserGrantRoleRequest.Parser.ParseFrom(body)),
            _ => throw new SimulatedRefusal(12, $"{method} is not simulated"),
        };
    }

    static AuthenticateResponse LogIn(StoreProcess process, AuthenticateRequest request)
    {
        var group = process.Group;
        if (!group.Users.Enabled) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: authentication is not enabled");
        if (!group.Users.Users.TryGetValue(request.Name, out var user) || user.Password != request.Password)
            throw new SimulatedRefusal(InvalidArgument, "etcdserver: authentication failed, invalid user ID or password");
        return new AuthenticateResponse { Token = group.Users.LogIn(request.Name, group.Members.Select(member => member.Process).OfType<StoreProcess>()) };
    }

    static AuthDisableResponse Disable(SimulatedUsers users)
    {
        users.Disable();
        return new AuthDisableResponse();
    }

    static AuthUserAddResponse Add(SimulatedUsers users, AuthUserAddRequest request)
    {
        if (!users.Users.TryAdd(request.Name, new(request.Password, Root: false))) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: user name already exists");
        return new AuthUserAddResponse();
    }

    static AuthUserDeleteResponse Delete(SimulatedUsers users, string name)
    {
        if (!users.Users.Remove(name)) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: user name not found");
        return new AuthUserDeleteResponse();
    }

    static AuthUserChangePasswordResponse Change(SimulatedUsers users, AuthUserChangePasswordRequest request)
    {
        if (!users.Users.ContainsKey(request.Name)) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: user name not found");
        users.SetPassword(request.Name, request.Password);
        return new AuthUserChangePasswordResponse();
    }

    static AuthUserGrantRoleResponse Grant(SimulatedUsers users, AuthUserGrantRoleRequest request)
    {
        if (!users.Users.TryGetValue(request.User, out var user)) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: user name not found");
        users.Users[request.User] = user with { Root = user.Root || request.Role == "root" };
        return new AuthUserGrantRoleResponse();
    }
}

/// <summary>A gRPC status that is not OK.</summary>
sealed class SimulatedRefusal(int code, string text) : Exception(text)
{
    public int Code => code;
}
