using k8s;
using Operator.Core;

namespace Operator.Controller;

/// <summary>The operator proper: caches from the start, work while it leads.</summary>
sealed class OperatorService(OperatorOptions options, IHostApplicationLifetime lifetime, ILogger<OperatorService> log) : BackgroundService
{
    volatile Caches? caches;

    /// <summary>Null when well; else what is not. A watch that has been silent for three times what is allowed is beyond its own repair.</summary>
    public string? Sickness => caches?.Reflectors.FirstOrDefault(reflector => reflector.Silence > 3 * ReflectorIdle) is { } silent
        ? $"the watch of {silent.Kind} has been silent for {silent.Silence.TotalSeconds:0} s"
        : null;

    public bool Ready => caches?.Synced.IsCompletedSuccessfully == true;

    static readonly TimeSpan ReflectorIdle = Reflector<StoreCluster>.IdleMost;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (!await RunAsync(stoppingToken)) return;
            Log.LeadershipLost(log);
            Environment.ExitCode = 1;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        lifetime.StopApplication();
    }

    /// <returns>True when leadership was lost.</returns>
    async Task<bool> RunAsync(CancellationToken stopping)
    {
        var time = TimeProvider.System;
        var api = KubeApi.Connect(KubernetesClientConfiguration.BuildDefaultConfig());
        using var queue = new WorkQueue(Telemetry.ControllerName, time);
        using var backups = new WorkQueue("storebackup", time);
        using var schedules = new WorkQueue("storebackupschedule", time);
        using var restores = new WorkQueue("storerestore", time);
        var caches = this.caches = new Caches(api, options.WatchNamespaces, queue.Add, backups.Add, schedules.Add, restores.Add, time, log);
        var metrics = new ClusterMetrics(caches.Clusters, caches.Schedules);
        Telemetry.Watch(metrics, caches.Reflectors, options.Workers);
        Log.Starting(log, typeof(OperatorService).Assembly.GetName().Version!.ToString(3), options.WatchNamespaces.Count == 0 ? "all namespaces" : string.Join(", ", options.WatchNamespaces), options.DefaultImage);

        // Events and caches outlive the workers, so that what the last pass said is still sent; both end with the process.
        using var background = new CancellationTokenSource();
        var events = new EventRecorder(api, options.Identity, time, log);
        var running = Task.WhenAll(caches.RunAsync(background.Token), events.RunAsync(background.Token));
        try
        {
            await caches.Synced.WaitAsync(stopping);
            Log.Synced(log);
            Task Lead(Fence fence) => LeadAsync(api, caches, queue, backups, schedules, restores, events, metrics, fence, time);
            if (options.LeaderElect)
                return await new LeaderLease(api, new ObjectKey(options.LeaseNamespace, options.LeaseName), options.Identity, time, log).RunAsync(Lead, stopping);
            using var open = Fence.Open(time, stopping);
            await Lead(open);
            return false;
        }
        finally
        {
            await background.CancelAsync();
            await running;
        }
    }

    async Task LeadAsync(KubeApi api, Caches caches, WorkQueue queue, WorkQueue backups, WorkQueue schedules, WorkQueue restores, EventRecorder events, ClusterMetrics metrics, Fence fence, TimeProvider time)
    {
        using var members = new MemberClient(time, MemberDialing.Open);
        var (users, tokens) = (new UserClient(members), new LoginTokens(time));
        var (authentication, agents) = (new AuthObserver(api, users, tokens), new AgentClient(MemberDialing.Open));
        var fulls = new FullBackups(api, members, agents, authentication, fence, time);
        var controller = new StoreClusterController(
            new Observer(api, caches, members, agents, authentication, new HandshakeProbe(MemberDialing.Open), options.DefaultImage, time),
            new Executor(api, caches, members, new AuthExecutor(api, members, users, authentication, tokens), tokens, fence),
            new StatusWriter(api, caches.Clusters, fence, events, log), tokens, events, metrics, log);
        await Task.WhenAll(
            new EntityLoop<StoreCluster>(queue, caches.Clusters, time, log).RunAsync(controller, options.Workers, fence.Lost),
            new EntityLoop<StoreBackup>(backups, caches.Backups, time, log).RunAsync(new StoreBackupController(api, caches, agents, fulls, fence, time), workers: 1, fence.Lost),
            new EntityLoop<StoreBackupSchedule>(schedules, caches.Schedules, time, log).RunAsync(new StoreBackupScheduleController(api, caches, fence, events, time), workers: 1, fence.Lost),
            new EntityLoop<StoreRestore>(restores, caches.Restores, time, log).RunAsync(new StoreRestoreController(api, caches, agents, fulls, fence, queue.Add, events, time), workers: 1, fence.Lost));
    }
}
