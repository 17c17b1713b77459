using System.Collections.Frozen;
using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Store.Server;

/// <summary>What etcd does with every plain HTTP request before it is served: the headers of CORS (`--cors`), OPTIONS, and foreign host names (`--host-whitelist`).</summary>
sealed class HttpDoor(ImmutableArray<string> origins, ImmutableArray<string> hosts)
{
    const string Any = "*";

    readonly FrozenSet<string> origins = origins.ToFrozenSet(StringComparer.Ordinal);
    readonly FrozenSet<string> hosts = hosts.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if (UnaryEndpoint.IsGrpc(http.Request)) return next(http);
        if (!IsHere(http))
        {
            http.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return http.Response.WriteAsync($"the host name {http.Request.Host.Host} is none of --host-whitelist\n");
        }

        var origin = origins.Contains(Any) ? Any : http.Request.Headers.Origin.ToString();
        if (origins.Contains(origin)) Allow(http.Response.Headers, origin);
        if (HttpMethods.IsOptions(http.Request.Method)) return Task.CompletedTask;
        return next(http);
    }

    /// <summary>A page of somebody else whose name was made to lead here (DNS rebinding) says that name; TLS would not have let it in.</summary>
    bool IsHere(HttpContext http) => hosts.Count == 0 || hosts.Contains(Any) || http.Features.Get<ITlsConnectionFeature>() is not null || hosts.Contains(http.Request.Host.Host);

    static void Allow(IHeaderDictionary headers, string origin)
    {
        headers.AccessControlAllowMethods = "POST, GET, OPTIONS, PUT, DELETE";
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowHeaders = "accept, content-type, authorization";
    }
}
