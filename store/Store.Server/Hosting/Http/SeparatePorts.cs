using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Store.Server;

/// <summary>
/// `--listen-client-http-urls`: gRPC and plain HTTP on ports of their own. etcd has it because Go's HTTP/2 server starves one of the two under load, and manifests that
/// pass the flag count on a firewall between them.
/// </summary>
static class SeparatePorts
{
    public static void ForGrpcAlone(ListenOptions listen) => Mark(listen, PortRole.Grpc);

    public static void ForHttpAlone(ListenOptions listen) => Mark(listen, PortRole.Http);

    /// <summary>The middleware: refuses what belongs to the other port.</summary>
    public static Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var role = http.Features.Get<PortRole>();
        if (role == PortRole.Grpc && !UnaryEndpoint.IsGrpc(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return http.Response.WriteAsync("only gRPC is served here; see --listen-client-http-urls\n");
        }

        if (role != PortRole.Http || !UnaryEndpoint.IsGrpc(http.Request)) return next(http);
        UnaryEndpoint.Refuse(http, new(StatusCode.Unimplemented, "no gRPC is served at --listen-client-http-urls; see --listen-client-urls"));
        return Task.CompletedTask;
    }

    static void Mark(ListenOptions listen, PortRole role) => listen.Use(next => connection =>
    {
        connection.Features.Set(role);
        return next(connection);
    });

    sealed class PortRole
    {
        public static readonly PortRole Grpc = new(), Http = new();
    }
}
