using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

public sealed class LeaderLeaseTests
{
    readonly FakeTimeProvider time = new();
    readonly LeaseServer server = new();

    [Fact]
    public async Task A_free_lease_is_taken_renewed_and_given_back()
    {
        using var stop = new CancellationTokenSource();
        var (running, fence) = await LeadAsync("one", stop.Token);
        for (var second = 0; second < 60; second++) await TickAsync();
        Assert.True(fence.Held);
        await stop.CancelAsync();
        Assert.False(await running);
        Assert.Equal("", server.Lease!.Spec.HolderIdentity);
    }

    [Fact]
    public async Task A_holder_that_cannot_renew_stops_before_another_may_start()
    {
        var (running, fence) = await LeadAsync("one", TestContext.Current.CancellationToken);
        server.Down = true;
        var held = 0;
        while (fence.Held)
        {
            await TickAsync();
            held++;
            Assert.True(held < 15, "the lease ran out and the holder still believed in it");
        }

        Assert.True(held > 5, "one lost renewal must not cost the leadership");
        Assert.Throws<OperationCanceledException>(fence.Require);
        // The right ends on the dot; the timer that tells the workers comes a millisecond later.
        await TickAsync();
        Assert.True(await running);
    }

    [Fact]
    public async Task A_frozen_holder_wakes_up_without_its_right()
    {
        var (running, fence) = await LeadAsync("one", TestContext.Current.CancellationToken);
        server.Down = true;
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(fence.Held);
        Assert.True(await running);
    }

    [Fact]
    public async Task Another_waits_until_the_lease_has_not_moved_for_its_whole_duration()
    {
        var (first, _) = await LeadAsync("one", TestContext.Current.CancellationToken);
        var second = LeadAsync("two", TestContext.Current.CancellationToken);
        for (var ticks = 0; ticks < 40; ticks++) await TickAsync();
        Assert.False(second.IsCompleted);
        server.DownFor = "one";
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return second.IsCompleted;
        });
        Assert.True(await first);
        Assert.Equal(("two", 1), (server.Lease!.Spec.HolderIdentity, server.Lease.Spec.LeaseTransitions));
    }

    async Task<(Task<bool> Running, Fence Fence)> LeadAsync(string identity, CancellationToken stop)
    {
        var leading = new TaskCompletionSource<Fence>(TaskCreationOptions.RunContinuationsAsynchronously);
        var lease = new LeaderLease(server.ApiFor(identity), new ObjectKey("system", "operator"), identity, time, NullLogger.Instance);
        var running = lease.RunAsync(async fence =>
        {
            leading.SetResult(fence);
            await Task.Delay(Timeout.Infinite, fence.Lost).ContinueWith(_ => { }, TaskScheduler.Default);
        }, stop);
        if (await Task.WhenAny(leading.Task, running) == running) await running;
        return (running, await leading.Task);
    }

    /// <summary>One second, and a moment for the tasks that it woke.</summary>
    async Task TickAsync()
    {
        time.Advance(TimeSpan.FromSeconds(1));
        await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    /// <summary>One Lease object with compare-and-swap.</summary>
    sealed class LeaseServer
    {
        readonly Lock gate = new();
        int version = 1;

        public V1Lease? Lease { get; private set; }
        public bool Down { get; set; }
        public string? DownFor { get; set; }

        public KubeApi ApiFor(string identity) => new(new HttpClient(new Handler(this, identity)), new Uri("http://server/"), credentials: null);

        HttpResponseMessage Answer(HttpMethod method, string? body)
        {
            lock (gate)
            {
                if (method == HttpMethod.Get) return Lease is null ? Failed(HttpStatusCode.NotFound) : Whole();
                var wanted = KubernetesJson.Deserialize<V1Lease>(body!);
                if (method == HttpMethod.Put && wanted.Metadata.ResourceVersion != Lease?.Metadata.ResourceVersion) return Failed(HttpStatusCode.Conflict);
                Lease = wanted;
                Lease.Metadata.ResourceVersion = $"{++version}";
                return Whole();
            }
        }

        HttpResponseMessage Whole() => ScriptedServer.Answer(HttpStatusCode.OK, KubernetesJson.Serialize(Lease!));

        static HttpResponseMessage Failed(HttpStatusCode status) => ScriptedServer.Answer(status, """{"kind":"Status","reason":"No"}""");

        sealed class Handler(LeaseServer server, string identity) : HttpMessageHandler
        {
            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                if (server.Down || server.DownFor == identity) throw new HttpRequestException("connection refused");
                return server.Answer(request.Method, request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken));
            }
        }
    }
}
