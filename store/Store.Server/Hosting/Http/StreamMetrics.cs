using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Store.Server;

/// <summary>Counts and traces the calls that Grpc.AspNetCore serves, as <see cref="UnaryEndpoint"/> counts its own: by the status in their trailers.</summary>
static class StreamMetrics
{
    public static async Task MeasureAsync(HttpContext http, RequestDelegate next)
    {
        if (GrpcMetrics.Of(http.Request.Path.Value!) is not { } metrics)
        {
            await next(http);
            return;
        }

        var start = metrics.Start();
        var span = RpcSpans.Start(http);
        try
        {
            await next(http);
        }
        finally
        {
            var code = CodeOf(http);
            span.End(code);
            metrics.End(start, code);
        }
    }

    static StatusCode CodeOf(HttpContext http)
    {
        var status = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"].ToString();
        if (string.IsNullOrEmpty(status)) status = http.Response.Headers["grpc-status"].ToString();
        // No status: the stream was cut before one could be sent.
        return int.TryParse(status, out var code) && Enum.IsDefined((StatusCode)code) ? (StatusCode)code : StatusCode.Cancelled;
    }
}
