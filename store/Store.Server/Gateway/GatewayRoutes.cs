using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Store.Server;

/// <summary>The paths of etcd's JSON gateway (contract 1.12). RangeStream has none there, and none here.</summary>
static class GatewayRoutes
{
    public const string Prefix = "/v3/";

    /// <summary>How etcd 3.3 called it; etcd still understands.</summary>
    const string OldPrefix = "/v3beta/";

    static readonly FrozenDictionary<string, MethodDescriptor> Methods = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["kv/range"] = "etcdserverpb.KV.Range",
        ["kv/put"] = "etcdserverpb.KV.Put",
        ["kv/deleterange"] = "etcdserverpb.KV.DeleteRange",
        ["kv/txn"] = "etcdserverpb.KV.Txn",
        ["kv/compaction"] = "etcdserverpb.KV.Compact",
        ["watch"] = "etcdserverpb.Watch.Watch",
        ["lease/grant"] = "etcdserverpb.Lease.LeaseGrant",
        ["lease/revoke"] = "etcdserverpb.Lease.LeaseRevoke",
        ["kv/lease/revoke"] = "etcdserverpb.Lease.LeaseRevoke",
        ["lease/keepalive"] = "etcdserverpb.Lease.LeaseKeepAlive",
        ["lease/timetolive"] = "etcdserverpb.Lease.LeaseTimeToLive",
        ["kv/lease/timetolive"] = "etcdserverpb.Lease.LeaseTimeToLive",
        ["lease/leases"] = "etcdserverpb.Lease.LeaseLeases",
        ["kv/lease/leases"] = "etcdserverpb.Lease.LeaseLeases",
        ["cluster/member/add"] = "etcdserverpb.Cluster.MemberAdd",
        ["cluster/member/remove"] = "etcdserverpb.Cluster.MemberRemove",
        ["cluster/member/update"] = "etcdserverpb.Cluster.MemberUpdate",
        ["cluster/member/list"] = "etcdserverpb.Cluster.MemberList",
        ["cluster/member/promote"] = "etcdserverpb.Cluster.MemberPromote",
        ["maintenance/alarm"] = "etcdserverpb.Maintenance.Alarm",
        ["maintenance/status"] = "etcdserverpb.Maintenance.Status",
        ["maintenance/defragment"] = "etcdserverpb.Maintenance.Defragment",
        ["maintenance/hash"] = "etcdserverpb.Maintenance.Hash",
        ["maintenance/hashkv"] = "etcdserverpb.Maintenance.HashKV",
        ["maintenance/snapshot"] = "etcdserverpb.Maintenance.Snapshot",
        ["maintenance/transfer-leadership"] = "etcdserverpb.Maintenance.MoveLeader",
        ["maintenance/downgrade"] = "etcdserverpb.Maintenance.Downgrade",
        ["auth/enable"] = "etcdserverpb.Auth.AuthEnable",
        ["auth/disable"] = "etcdserverpb.Auth.AuthDisable",
        ["auth/status"] = "etcdserverpb.Auth.AuthStatus",
        ["auth/authenticate"] = "etcdserverpb.Auth.Authenticate",
        ["auth/user/add"] = "etcdserverpb.Auth.UserAdd",
        ["auth/user/get"] = "etcdserverpb.Auth.UserGet",
        ["auth/user/list"] = "etcdserverpb.Auth.UserList",
        ["auth/user/delete"] = "etcdserverpb.Auth.UserDelete",
        ["auth/user/changepw"] = "etcdserverpb.Auth.UserChangePassword",
        ["auth/user/grant"] = "etcdserverpb.Auth.UserGrantRole",
        ["auth/user/revoke"] = "etcdserverpb.Auth.UserRevokeRole",
        ["auth/role/add"] = "etcdserverpb.Auth.RoleAdd",
        ["auth/role/get"] = "etcdserverpb.Auth.RoleGet",
        ["auth/role/list"] = "etcdserverpb.Auth.RoleList",
        ["auth/role/delete"] = "etcdserverpb.Auth.RoleDelete",
        ["auth/role/grant"] = "etcdserverpb.Auth.RoleGrantPermission",
        ["auth/role/revoke"] = "etcdserverpb.Auth.RoleRevokePermission",
        ["lock/lock"] = "v3lockpb.Lock.Lock",
        ["lock/unlock"] = "v3lockpb.Lock.Unlock",
        ["election/campaign"] = "v3electionpb.Election.Campaign",
        ["election/proclaim"] = "v3electionpb.Election.Proclaim",
        ["election/leader"] = "v3electionpb.Election.Leader",
        ["election/observe"] = "v3electionpb.Election.Observe",
        ["election/resign"] = "v3electionpb.Election.Resign",
    }.ToFrozenDictionary(route => Prefix + route.Key, route => Named(route.Value), StringComparer.Ordinal);

    public static IEnumerable<MethodDescriptor> All => Methods.Values;

    public static bool IsGateway(string path) => path.StartsWith(Prefix, StringComparison.Ordinal) || path.StartsWith(OldPrefix, StringComparison.Ordinal);

    /// <summary>Null where the gateway has no such path.</summary>
    public static MethodDescriptor? Find(string path) =>
        Methods.GetValueOrDefault(path.StartsWith(OldPrefix, StringComparison.Ordinal) ? Prefix + path[OldPrefix.Length..] : path);

    static MethodDescriptor Named(string fullName) =>
        EtcdServices.Descriptors.SelectMany(service => service.Methods).Single(method => method.FullName == fullName);
}
