using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>GET /version.</summary>
static class VersionEndpoint
{
    public static Task ServeAsync(HttpContext http, ReplicaLoop loop)
    {
        http.Response.ContentType = "application/json";
        var cluster = loop.View.Cluster.Version is { Length: > 0 } agreed ? agreed : "not_decided";
        return http.Response.WriteAsync($$"""{"etcdserver":"{{ServerVersion.Etcd}}","etcdcluster":"{{cluster}}","storage":"{{ServerVersion.Storage}}","storecluster":"{{ServerVersion.Own}}"}""");
    }
}
