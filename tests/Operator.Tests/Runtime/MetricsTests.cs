using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using k8s.Models;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>The operator's metrics: every name that dashboards and alerts for operators expect, and what the passes tell them.</summary>
public sealed class MetricsTests : IDisposable
{
    readonly MeterListener listener = new();
    readonly ConcurrentDictionary<string, byte> names = new();
    readonly ConcurrentDictionary<string, double> sums = new();

    // Simulations of other tests run meanwhile, on clusters of the same names: what is told of clusters is of these here alone.
    readonly Meter meter = new("OneOperator");
    readonly ObjectStore<StoreCluster> clusters = new(_ => null);
    readonly ObjectStore<StoreBackupSchedule> schedules = new(_ => null);

    public MetricsTests()
    {
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != Telemetry.Meter && instrument.Meter != meter) return;
            names[instrument.Name] = 0;
            listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        Telemetry.Leading("metrics", leading: true);
        listener.Start();
    }

    public void Dispose()
    {
        listener.Dispose();
        meter.Dispose();
    }

    [Theory]
    [InlineData("controller_runtime_", "reconcile_total reconcile_errors_total terminal_reconcile_errors_total reconcile_panics_total reconcile_timeouts_total reconcile_time_seconds max_concurrent_reconciles active_workers")]
    [InlineData("workqueue_", "depth adds_total queue_duration_seconds work_duration_seconds unfinished_work_seconds longest_running_processor_seconds retries_total")]
    [InlineData("rest_client_", "requests_total request_duration_seconds")]
    [InlineData("leader_election_", "master_status")]
    [InlineData("storeoperator_reflector_", "last_event_timestamp_seconds relists_total items")]
    [InlineData("storeoperator_cluster_", "info condition members desired_members blocked")]
    [InlineData("storeoperator_backup_", "last_recoverable_timestamp_seconds rpo_seconds last_full_timestamp_seconds last_full_size_bytes last_full_stored_bytes schedule_scheduled schedule_last_success_timestamp_seconds")]
    [InlineData("storeoperator_drill_", "success last_success_timestamp_seconds duration_seconds")]
    [InlineData("storeoperator_", "build_info operation_total operation_duration_seconds certificate_expiry_timestamp_seconds rollout_progress_ratio invariant_violations_total")]
    public void Each_has_the_name_that_others_expect(string prefix, string names)
    {
        new ClusterMetrics(clusters, schedules).Export(meter);
        Assert.Empty(names.Split(' ').Select(name => prefix + name).Where(name => !this.names.ContainsKey(name)));
    }

    [Fact]
    public void An_operation_is_counted_when_it_begins_and_when_it_ends_with_its_length()
    {
        using var simulation = new Simulation();
        Scenario.Of("bootstrap").Play(simulation);
        foreach (var operation in new[] { "FormCluster", "AddMember" })
        {
            Assert.True(Sum($"storeoperator_operation_total operation={operation} result=started") >= 1);
            Assert.True(Sum($"storeoperator_operation_total operation={operation} result=success") >= 1);
            Assert.True(Sum($"storeoperator_operation_duration_seconds operation={operation}") > 0);
        }

        simulation.Metrics.Export(meter);
        listener.RecordObservableInstruments();
        Assert.Equal(1, Sum("storeoperator_rollout_progress_ratio namespace=shop cluster=orders"), tolerance: 0);
    }

    [Fact]
    public void Of_backups_it_tells_age_size_and_drills_as_the_last_pass_and_status_have_them()
    {
        var full = new FullBackupStatus { Id = "a", Revision = 80, Time = World.Now.AddHours(-2), Bytes = 1000, StoredBytes = 300 };
        var drill = new DrillStatus { Time = World.Now.AddHours(-1), Passed = false, Revision = 80, Seconds = 21 };
        var world = new World().Formed(1).Spec(spec => Scenario.BackedUp(spec, "backups")).Agent(1, new AgentReport { RecoverableTo = new DateTimeOffset(World.Now).AddSeconds(-3) })
            .Status(status => status with { Backup = new BackupStatus { RecoverableUntil = World.Now.AddHours(-4), LastFull = full, LastDrill = drill, LastPassedDrill = World.Now.AddDays(-7) } });
        clusters.Upsert(world.Cluster());
        var metrics = new ClusterMetrics(clusters, schedules);
        metrics.Backups.RecoverableUntil(ObjectStore<StoreCluster>.KeyOf(world.Cluster()), world.View().RecoverableUntil);
        using var other = new Simulation();
        Scenario.Of("bootstrap").Play(other);
        metrics.Export(meter);
        listener.RecordObservableInstruments();
        var now = new DateTimeOffset(World.Now).ToUnixTimeSeconds();
        foreach (var (name, value) in new (string, double)[]
        {
            ("backup_last_recoverable_timestamp_seconds", now - 3), ("backup_rpo_seconds", 12 * 3600), ("backup_last_full_timestamp_seconds", now - 7200), ("backup_last_full_size_bytes", 1000),
            ("backup_last_full_stored_bytes", 300), ("drill_success", 0), ("drill_last_success_timestamp_seconds", now - 7 * 86400), ("drill_duration_seconds", 21),
        }) Assert.Equal(value, Sum($"storeoperator_{name} namespace=shop cluster=orders"), tolerance: 0);
    }

    [Fact]
    public void Of_schedules_it_tells_whether_there_will_be_more_and_nothing_of_those_that_are_suspended()
    {
        foreach (var (name, cron, suspended) in new[] { ("right", "@daily", false), ("wrong", "61 * * * *", false), ("suspended", "@daily", true) })
        {
            var schedule = new StoreBackupSchedule
            {
                Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop", CreationTimestamp = World.Now },
                Spec = new StoreBackupScheduleSpec { Cluster = "orders", Schedule = cron, Suspend = suspended },
            };
            schedules.Upsert(schedule with { Status = ScheduleRun.Decide(schedule, TimeZoneInfo.Utc, [], World.Now).Status with { LastSuccessfulTime = World.Now } });
        }

        new ClusterMetrics(clusters, schedules).Export(meter);
        listener.RecordObservableInstruments();
        double? Of(string name) => sums.TryGetValue($"storeoperator_backup_schedule_scheduled namespace=shop cluster=orders schedule={name}", out var value) ? value : null;
        Assert.Equal((1, 0, null), (Of("right"), Of("wrong"), Of("suspended")));
        Assert.Equal(new DateTimeOffset(World.Now).ToUnixTimeSeconds(), Sum("storeoperator_backup_schedule_last_success_timestamp_seconds namespace=shop cluster=orders schedule=right"), tolerance: 0);
    }

    double Sum(string series) => sums.GetValueOrDefault(series);

    void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = instrument.Name;
        foreach (var (name, tag) in tags) series += $" {name}={tag}";
        // An observable tells what is, and is asked once.
        sums.AddOrUpdate(series, value, (_, before) => instrument.IsObservable ? value : before + value);
    }
}
