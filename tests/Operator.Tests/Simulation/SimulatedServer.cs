using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Operator.Controller;
using Operator.Core;

namespace Operator.Tests;

/// <summary>Puts a <see cref="Simulation"/> behind sockets, so that a process of the operator can work in it: its API server on a port, and its members at their pods' addresses, which are
/// loopback's. From here on the simulation goes by the clock.</summary>
sealed class SimulatedServer : IAsyncDisposable
{
    static readonly TimeSpan Turn = TimeSpan.FromSeconds(0.5);

    /// <summary>As often as an API server tells those who watch what is seldom written.</summary>
    static readonly TimeSpan Bookmark = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly CancellationTokenSource stop = new();
    readonly Simulation simulation;
    readonly SimulatedWatches watches;
    readonly HttpMessageInvoker api;
    readonly WebApplication app;
    Task turning = Task.CompletedTask;

    SimulatedServer(Simulation simulation, int addresses)
    {
        this.simulation = simulation;
        watches = new SimulatedWatches(simulation.Table);
        api = new HttpMessageInvoker(new SimulatedApi(simulation.Table, simulation.Writes));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            for (var number = 1; number <= addresses; number++)
                kestrel.Listen(IPAddress.Parse(simulation.Kubernetes.AddressOf(number)), Ports.Client, listen => listen.Protocols = HttpProtocols.Http2);
        });
        app = builder.Build();
        app.Run(context => context.Connection.LocalPort == Ports.Client ? AskMemberAsync(context) : context.Request.Query.ContainsKey("watch") ? WatchAsync(context) : AskApiAsync(context));
    }

    /// <summary>Where its API server is.</summary>
    public Uri Url { get; private set; } = null!;

    /// <param name="simulation">Without operators of its own.</param>
    /// <param name="addresses">How many pods' addresses are listened at.</param>
    public static async Task<SimulatedServer> StartAsync(Simulation simulation, int addresses)
    {
        var server = new SimulatedServer(simulation, addresses);
        await server.app.StartAsync();
        server.Url = new Uri(server.app.Urls.Single(url => !url.EndsWith($":{Ports.Client}", StringComparison.Ordinal)));
        server.turning = Task.Run(server.TurnAsync);
        return server;
    }

    /// <summary>Looks at the simulation, or changes it, between two turns.</summary>
    public T Look<T>(Func<Simulation, T> look)
    {
        lock (gate)
        {
            var seen = look(simulation);
            watches.Tell();
            return seen;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await turning;
        await app.StopAsync();
        await app.DisposeAsync();
        api.Dispose();
        stop.Dispose();
    }

    async Task TurnAsync()
    {
        using var timer = new PeriodicTimer(Turn);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                Look(simulation =>
                {
                    simulation.RunTo(DateTimeOffset.UtcNow);
                    return true;
                });
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    async Task AskApiAsync(HttpContext context)
    {
        using var request = await ReadAsync(context.Request);
        using var answer = Send(api, request);
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = "application/json";
        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    async Task AskMemberAsync(HttpContext context)
    {
        var address = context.Connection.LocalIpAddress!.ToString();
        using var member = new HttpMessageInvoker(new SimulatedMembers(simulation.Store, simulation.Tls, simulation.Writes, new MemberEndpoint(address, Ports.Client, address, Tls: null), shown: null));
        using var request = await ReadAsync(context.Request);
        try
        {
            using var answer = Send(member, request);
            context.Response.ContentType = "application/grpc";
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
            foreach (var (name, values) in answer.TrailingHeaders) context.Response.AppendTrailer(name, values.Single());
        }
        catch (HttpRequestException)
        {
            // Nobody runs there.
            context.Abort();
        }
    }

    /// <summary>To the simulation as to its own operators: one request at a time.</summary>
    HttpResponseMessage Send(HttpMessageInvoker to, HttpRequestMessage request) => Look(_ => to.SendAsync(request, CancellationToken.None).GetAwaiter().GetResult());

    static async Task<HttpRequestMessage> ReadAsync(HttpRequest request)
    {
        var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var read = new HttpRequestMessage(new HttpMethod(request.Method), $"http://simulated{request.Path}{request.QueryString}") { Content = new ByteArrayContent(body.ToArray()) };
        if (request.ContentType is { } type) read.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (request.Headers.TryGetValue("token", out var token)) read.Headers.TryAddWithoutValidation("token", token.ToString());
        return read;
    }

    async Task WatchAsync(HttpContext context)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop.Token);
        end.CancelAfter(TimeSpan.FromSeconds(int.Parse(context.Request.Query["timeoutSeconds"]!, System.Globalization.CultureInfo.InvariantCulture)));
        var watch = Look(_ => watches.Open(context.Request));
        context.Response.ContentType = "application/json";
        try
        {
            await context.Response.Body.FlushAsync(end.Token);
            while (true)
            {
                var (lines, more) = Look(_ => watch.Read());
                foreach (var line in lines) await context.Response.WriteAsync(line + "\n", end.Token);
                await context.Response.Body.FlushAsync(end.Token);
                try
                {
                    await more.WaitAsync(Bookmark, end.Token);
                }
                catch (TimeoutException)
                {
                    await context.Response.WriteAsync(Look(_ => watch.Bookmark()) + "\n", end.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Its time is over, or nobody reads it any more.
        }
    }
}

/// <summary>Everybody who reads the history of a simulated API server as it grows.</summary>
sealed class SimulatedWatches(ObjectTable table)
{
    TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int told;

    /// <summary>Wakes those who wait, if something has happened.</summary>
    public void Tell()
    {
        if (told == table.History.Count) return;
        told = table.History.Count;
        more.SetResult();
        more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public SimulatedWatch Open(HttpRequest request)
    {
        var parts = request.Path.Value!.Trim('/').Split('/');
        var scope = Array.IndexOf(parts, "namespaces");
        var from = long.Parse(request.Query["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);
        return new SimulatedWatch(this, parts[^1], scope < 0 ? null : parts[scope + 1], request.Query["labelSelector"], from);
    }

    /// <param name="space">Null for all namespaces.</param>
    /// <param name="selector">A label, as name=value; null for all objects.</param>
    public sealed class SimulatedWatch(SimulatedWatches all, string plural, string? space, string? selector, long from)
    {
        int read;

        /// <summary>What has happened since the last time, a line each, and what ends when there is more.</summary>
        public (IReadOnlyList<string> Lines, Task More) Read()
        {
            var lines = new List<string>();
            for (; read < all.Table.History.Count; read++)
            {
                var change = all.Table.History[read];
                if (change.Version > from && change.Plural == plural && IsSelected(change)) lines.Add(Line(change.Deleted ? "DELETED" : "MODIFIED", change.Object));
            }

            return (lines, all.more.Task);
        }

        public string Bookmark() => Line("BOOKMARK", new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = $"{all.Table.Version}" } });

        bool IsSelected(Change change) => (space is null || space == change.Key.Namespace)
            && (selector is null || (selector.Split('=') is [var label, var value] && (string?)change.Object["metadata"]!["labels"]?[label] == value));

        static string Line(string type, JsonObject item) => new JsonObject { ["type"] = type, ["object"] = item.DeepClone() }.ToJsonString();
    }

    ObjectTable Table => table;
}
