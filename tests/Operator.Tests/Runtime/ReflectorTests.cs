using System.IO.Pipelines;
using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

public sealed class ReflectorTests
{
    readonly ObjectStore<V1Pod> store = new(pod => new ObjectKey(pod.Metadata.NamespaceProperty, "orders"));
    readonly FakeTimeProvider time = new();
    int changes;
    Reflector<V1Pod>? reflector;

    [Fact]
    public async Task Lists_then_follows()
    {
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10, Pod("a", 5)))
            .Then(HttpStatusCode.OK, Line("ADDED", Pod("b", 11)) + Line("DELETED", Pod("a", 12)));
        await RunUntil(server, () => store.Get(new ObjectKey("shop", "b")) is not null && store.Get(new ObjectKey("shop", "a")) is null);
        Assert.Equal(3, changes);
        Assert.Contains("resourceVersion=10", server.Seen[1], StringComparison.Ordinal);
        Assert.Contains("allowWatchBookmarks=true", server.Seen[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watch_that_ends_goes_on_from_its_last_bookmark()
    {
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10)).Then(HttpStatusCode.OK, Line("BOOKMARK", """{"metadata":{"resourceVersion":"77"}}"""));
        await RunUntil(server, () => server.Seen.Count == 3);
        Assert.Contains("resourceVersion=77", server.Seen[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_that_the_server_has_forgotten_means_listing_again(bool inStream)
    {
        const string Gone = """{"kind":"Status","status":"Failure","reason":"Expired","message":"too old","code":410}""";
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10, Pod("a", 5)))
            .Then(inStream ? HttpStatusCode.OK : HttpStatusCode.Gone, inStream ? Line("ERROR", Gone) : Gone)
            .Then(HttpStatusCode.OK, List(90, Pod("b", 80)));
        await RunUntil(server, () => store.Get(new ObjectKey("shop", "b")) is not null);
        Assert.Null(store.Get(new ObjectKey("shop", "a")));
    }

    [Fact]
    public async Task A_silent_watch_is_given_up()
    {
        var pipe = new Pipe();
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10))
            .Then(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(pipe.Reader.AsStream()) });
        await RunUntil(server, () =>
        {
            time.Advance(TimeSpan.FromSeconds(30));
            return server.Seen.Count == 3;
        });
        Assert.Contains("watch=true", server.Seen[2], StringComparison.Ordinal);
    }

    /// <summary>Three silent watches in a row, each opened at once: the server lives, and restarting the operator would not make it say more.</summary>
    [Fact]
    public async Task A_kind_that_nobody_writes_is_no_sickness()
    {
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10));
        for (var watch = 0; watch < 3; watch++) server.Then(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Pipe().Reader.AsStream()) });
        await RunUntil(server, () =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return server.Seen.Count == 5;
        });
        Assert.True(reflector!.Silence < 3 * Reflector<V1Pod>.IdleMost, $"{reflector.Silence}");
    }

    [Fact]
    public async Task One_unreadable_object_does_not_hide_the_others()
    {
        var server = new ScriptedServer().Then(HttpStatusCode.OK, List(10, """{"metadata":{"name":"odd","namespace":"shop"},"spec":7}""", Pod("a", 5)))
            .Then(HttpStatusCode.OK, Line("ADDED", """{"metadata":{"name":"odd","resourceVersion":"11"},"spec":7}""") + Line("ADDED", Pod("b", 12)));
        await RunUntil(server, () => store.Count == 2);
    }

    [Fact]
    public async Task A_server_that_refuses_is_asked_again()
    {
        var server = new ScriptedServer().Then(HttpStatusCode.InternalServerError, "down").Then(_ => throw new HttpRequestException("refused")).Then(HttpStatusCode.OK, List(10, Pod("a", 5)));
        await RunUntil(server, () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Count == 1;
        });
    }

    async Task RunUntil(ScriptedServer server, Func<bool> done)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        reflector = new Reflector<V1Pod>(server.Api, "shop", null, store, _ => Interlocked.Increment(ref changes), time, NullLogger.Instance);
        var running = reflector.RunAsync(stop.Token);
        await Eventually.True(done);
        await stop.CancelAsync();
        await running;
    }

    static string Pod(string name, int version) => $$$"""{"metadata":{"name":"{{{name}}}","namespace":"shop","resourceVersion":"{{{version}}}"}}""";

    static string List(int version, params string[] items) => $$$"""{"metadata":{"resourceVersion":"{{{version}}}"},"items":[{{{string.Join(',', items)}}}]}""";

    static string Line(string type, string item) => $$$"""{"type":"{{{type}}}","object":{{{item}}}}""" + "\n";
}
