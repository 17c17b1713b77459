using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Store.Agent.Tests;

sealed record Refusal(int Status, string Body);

/// <summary>A proxy in front of a server of objects that lets everything through but what would store something, while it is told to refuse that.</summary>
sealed class FullServer : IAsyncDisposable
{
    readonly WebApplication application;
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    readonly Uri server;

    FullServer(Uri server)
    {
        this.server = server;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Limits.MaxRequestBodySize = null).UseUrls("http://127.0.0.1:0");
        application = builder.Build();
        application.Run(AnswerAsync);
    }

    /// <summary>Null lets everything through.</summary>
    public Refusal? Refusal { get; set; }

    public Uri Url => new(application.Urls.First());

    public static async Task<FullServer> StartAsync(IObjectServer server)
    {
        var proxy = new FullServer(server.Url);
        await proxy.application.StartAsync();
        return proxy;
    }

    async Task AnswerAsync(HttpContext context)
    {
        var (asked, answer) = (context.Request, context.Response);
        if (Refusal is { } refusal && HttpMethods.IsPut(asked.Method))
        {
            await asked.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            answer.StatusCode = refusal.Status;
            if (refusal.Body.Length > 0) answer.ContentType = "application/xml";
            await answer.WriteAsync(refusal.Body, context.RequestAborted);
            return;
        }
        using var passed = new HttpRequestMessage(new(asked.Method), new Uri(server, $"{asked.Path.ToUriComponent()}{asked.QueryString}"));
        if (HttpMethods.IsPut(asked.Method)) passed.Content = new StreamContent(asked.Body);
        // The host, too: it is part of what is signed.
        foreach (var header in asked.Headers.Where(header => !header.Key.Equals("Expect", StringComparison.OrdinalIgnoreCase)))
            if (!passed.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value)) passed.Content?.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
        using var given = await http.SendAsync(passed, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        answer.StatusCode = (int)given.StatusCode;
        foreach (var header in given.Headers.Concat(given.Content.Headers).Where(header => header.Key is not ("Transfer-Encoding" or "Connection"))) answer.Headers[header.Key] = header.Value.ToArray();
        if (answer.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified)) await given.Content.CopyToAsync(answer.Body, context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        http.Dispose();
    }
}
