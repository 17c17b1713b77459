using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

/// <summary>The operator's metrics: every name that dashboards and alerts for operators expect, and what the passes tell them.</summary>
public sealed class MetricsTests : IDisposable
{
    readonly MeterListener listener = new();
    readonly ConcurrentDictionary<string, byte> names = new();
    readonly ConcurrentDictionary<string, double> sums = new();

    public MetricsTests()
    {
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != Telemetry.Meter) return;
            names[instrument.Name] = 0;
            listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        Telemetry.Leading("metrics", leading: true);
        listener.Start();
    }

    public void Dispose() => listener.Dispose();

    [Theory]
    [InlineData("controller_runtime_", "reconcile_total reconcile_errors_total terminal_reconcile_errors_total reconcile_panics_total reconcile_timeouts_total reconcile_time_seconds max_concurrent_reconciles active_workers")]
    [InlineData("workqueue_", "depth adds_total queue_duration_seconds work_duration_seconds unfinished_work_seconds longest_running_processor_seconds retries_total")]
    [InlineData("rest_client_", "requests_total request_duration_seconds")]
    [InlineData("leader_election_", "master_status")]
    [InlineData("storeoperator_reflector_", "last_event_timestamp_seconds relists_total items")]
    [InlineData("storeoperator_cluster_", "info condition members desired_members blocked")]
    [InlineData("storeoperator_", "build_info operation_total operation_duration_seconds certificate_expiry_timestamp_seconds rollout_progress_ratio invariant_violations_total")]
    public void Each_has_the_name_that_others_expect(string prefix, string names) =>
        Assert.Empty(names.Split(' ').Select(name => prefix + name).Where(name => !this.names.ContainsKey(name)));

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

        listener.RecordObservableInstruments();
        Assert.Equal(1, Sum("storeoperator_rollout_progress_ratio namespace=shop cluster=orders"), tolerance: 0);
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
