using System.Diagnostics;

namespace Operator.Controller;

/// <summary>client-go's two metrics of requests to the API server. KubernetesClient's own handler records milliseconds under a name that says seconds.</summary>
sealed class RestClientMetrics : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var host = request.RequestUri?.Authority ?? "";
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            Telemetry.Requested(((int)response.StatusCode).ToString(), request.Method.Method, host, Stopwatch.GetElapsedTime(started));
            return response;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            Telemetry.Requested("<error>", request.Method.Method, host, Stopwatch.GetElapsedTime(started));
            throw;
        }
    }
}
