using System.Net;
using System.Text;
using Operator.Controller;

namespace Operator.Tests;

/// <summary>An API server that answers what the test says, one request after the other; requests beyond the script wait for ever.</summary>
sealed class ScriptedServer : HttpMessageHandler
{
    readonly Queue<Func<HttpRequestMessage, HttpResponseMessage>> script = new();
    readonly List<string> seen = [];

    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (seen) return [.. seen];
        }
    }

    public KubeApi Api => new(new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan }, new Uri("http://server/"), credentials: null);

    public ScriptedServer Then(Func<HttpRequestMessage, HttpResponseMessage> answer)
    {
        script.Enqueue(answer);
        return this;
    }

    public ScriptedServer Then(HttpStatusCode status, string body) => Then(_ => Answer(status, body));

    public static HttpResponseMessage Answer(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Func<HttpRequestMessage, HttpResponseMessage>? answer;
        lock (seen)
        {
            seen.Add($"{request.Method} {request.RequestUri!.PathAndQuery}");
            script.TryDequeue(out answer);
        }

        if (answer is null) await Task.Delay(Timeout.Infinite, cancellationToken);
        return answer!(request);
    }
}
