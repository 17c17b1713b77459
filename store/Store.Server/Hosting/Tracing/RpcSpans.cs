using System.Collections.Frozen;
using System.Diagnostics;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>
/// A span for each RPC, "etcdserverpb.KV/Range", and in it the one that etcd names after the work, "range" (contract 1.15). A client's trace is continued (W3C headers).
/// Without a listener a call costs one comparison.
/// </summary>
static class RpcSpans
{
    public const string SourceName = "etcd";

    static readonly ActivitySource Source = new(SourceName);

    static readonly FrozenDictionary<string, string> Works = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["/etcdserverpb.KV/Range"] = "range",
        ["/etcdserverpb.KV/RangeStream"] = "range_stream",
        ["/etcdserverpb.KV/Put"] = "put",
        ["/etcdserverpb.KV/DeleteRange"] = "delete_range",
        ["/etcdserverpb.KV/Txn"] = "txn",
        ["/etcdserverpb.KV/Compact"] = "compact",
        ["/etcdserverpb.Watch/Watch"] = "watch",
        ["/etcdserverpb.Lease/LeaseGrant"] = "lease_grant",
        ["/etcdserverpb.Lease/LeaseRevoke"] = "lease_revoke",
        ["/etcdserverpb.Lease/LeaseKeepAlive"] = "lease_keep_alive",
        ["/etcdserverpb.Lease/LeaseTimeToLive"] = "lease_time_to_live",
        ["/etcdserverpb.Lease/LeaseLeases"] = "lease_leases",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static RpcSpan Start(HttpContext http) => Source.HasListeners() ? Begin(http) : default;

    static RpcSpan Begin(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var headers = http.Request.Headers;
        _ = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        var rpc = Source.StartActivity(path[1..], ActivityKind.Server, parent);
        if (rpc is null) return default;
        var parts = path.Split('/');
        rpc.SetTag("rpc.system", "grpc").SetTag("rpc.service", parts[1]).SetTag("rpc.method", parts[^1]);
        return new(rpc, Works.TryGetValue(path, out var work) ? Source.StartActivity(work) : null);
    }
}

/// <summary>What was started for one RPC; nothing, mostly.</summary>
readonly struct RpcSpan(Activity? rpc, Activity? work)
{
    public void End(StatusCode code)
    {
        if (rpc is null) return;
        work?.Dispose();
        rpc.SetTag("rpc.grpc.status_code", (int)code);
        if (code != StatusCode.OK) rpc.SetStatus(ActivityStatusCode.Error);
        rpc.Dispose();
    }
}
