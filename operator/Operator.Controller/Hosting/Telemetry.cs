using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Operator.Controller;

/// <summary>Every metric of the process. Names are full Prometheus names (the exporter adds nothing), and those that controller-runtime and client-go have
/// too are spelled as they spell them, so that dashboards and alerts made for Go operators work.</summary>
static class Telemetry
{
    public const string Meter = "StoreOperator";
    public const string ControllerName = "storecluster";
    public const string OperationTime = "storeoperator_operation_duration_seconds";

    static readonly Meter Source = new(Meter);
    static readonly ConcurrentDictionary<string, WorkQueue> Queues = new();
    static readonly ConcurrentDictionary<string, bool> Leaders = new();
    static readonly ConcurrentDictionary<string, IReflector> Reflectors = new();
    static int activeWorkers;
    static int workers;

    static readonly Counter<long> Reconciles = Source.CreateCounter<long>("controller_runtime_reconcile_total", null, "Passes by result");
    static readonly Counter<long> ReconcileErrors = Source.CreateCounter<long>("controller_runtime_reconcile_errors_total", null, "Passes that failed");
    static readonly Counter<long> Panics = Source.CreateCounter<long>("controller_runtime_reconcile_panics_total", null, "Passes that ended in an unexpected exception");
    static readonly Counter<long> TerminalErrors = Source.CreateCounter<long>("controller_runtime_terminal_reconcile_errors_total", null, "Passes that found what only a change of the spec mends");
    static readonly Counter<long> Timeouts = Source.CreateCounter<long>("controller_runtime_reconcile_timeouts_total", null, "Passes that took too long and were broken off");
    static readonly Histogram<double> ReconcileTime = Source.CreateHistogram<double>("controller_runtime_reconcile_time_seconds", null, "Length of a pass");
    static readonly Counter<long> Requests = Source.CreateCounter<long>("rest_client_requests_total", null, "Requests to the API server");
    static readonly Histogram<double> RequestTime = Source.CreateHistogram<double>("rest_client_request_duration_seconds", null, "Time until the response's headers");
    static readonly Counter<long> Relists = Source.CreateCounter<long>("storeoperator_reflector_relists_total", null, "Full lists");
    static readonly Counter<long> Steps = Source.CreateCounter<long>("storeoperator_steps_total", null, "Steps carried out, by kind and result");

    static readonly Counter<long> Operations = Source.CreateCounter<long>("storeoperator_operation_total", null, "Operations that were begun (started) and brought to their end (success)");
    static readonly Histogram<double> OperationTimes = Source.CreateHistogram<double>(OperationTime, null, "From the journal's entry to the operation's end");
    static readonly Counter<long> Violations = Source.CreateCounter<long>("storeoperator_invariant_violations_total", null, "What must never be seen or done; always 0");

    public static readonly Counter<long> QueueAdds = Source.CreateCounter<long>("workqueue_adds_total", null, "Keys added");
    public static readonly Counter<long> QueueRetries = Source.CreateCounter<long>("workqueue_retries_total", null, "Keys added again after a failure");
    public static readonly Histogram<double> QueueTime = Source.CreateHistogram<double>("workqueue_queue_duration_seconds", null, "Time in the queue");
    public static readonly Histogram<double> QueueWork = Source.CreateHistogram<double>("workqueue_work_duration_seconds", null, "Time being worked on");

    public static readonly double[] SecondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    /// <summary>An invariant: no member reports another cluster id than the one that was formed here.</summary>
    public const string OneIdentity = "one_identity";

    /// <summary>Of operations: a learner catches up for as long as its data takes.</summary>
    public static readonly double[] OperationBuckets = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

    static Telemetry()
    {
        // A counter that has counted nothing yet is not exported, and a rate over what begins with 1 is 0.
        Panics.Add(0, Controller());
        TerminalErrors.Add(0, Controller());
        Timeouts.Add(0, Controller());
        Violations.Add(0, Tag("invariant", OneIdentity));
        Source.CreateObservableGauge("controller_runtime_active_workers", () => One(Volatile.Read(ref activeWorkers), Controller()), null, "Passes that run now");
        Source.CreateObservableGauge("controller_runtime_max_concurrent_reconciles", () => One(Volatile.Read(ref workers), Controller()), null, "Passes that may run at once");
        Source.CreateObservableGauge("workqueue_depth", () => Queues.Select(queue => new Measurement<long>(queue.Value.Depth, Queue(queue.Key))), null, "Keys that are ready and not yet taken");
        Source.CreateObservableGauge("workqueue_unfinished_work_seconds", () => Queues.Select(queue => new Measurement<double>(queue.Value.Unfinished().SumSeconds, Queue(queue.Key))), null, "How long all passes that run now have been running, added up");
        Source.CreateObservableGauge("workqueue_longest_running_processor_seconds", () => Queues.Select(queue => new Measurement<double>(queue.Value.Unfinished().LongestSeconds, Queue(queue.Key))), null, "How long the longest pass that runs now has been running");
        Source.CreateObservableGauge("leader_election_master_status", () => Leaders.Select(lease => new Measurement<long>(lease.Value ? 1 : 0, Tag("name", lease.Key))), null, "1 on the process that holds the lease");
        Source.CreateObservableGauge("storeoperator_reflector_silence_seconds", () => Reflectors.Select(pair => new Measurement<double>(pair.Value.Silence.TotalSeconds, Tag("kind", pair.Key))), null, "Time since a watch last told something");
        Source.CreateObservableGauge("storeoperator_reflector_last_event_timestamp_seconds", () => Reflectors.Select(pair => new Measurement<double>(Math.Round((DateTimeOffset.UtcNow - pair.Value.Silence).ToUnixTimeMilliseconds() / 1000.0, 1), Tag("kind", pair.Key))), null, "When a watch last told something");
        Source.CreateObservableGauge("storeoperator_reflector_items", () => Reflectors.Select(pair => new Measurement<long>(pair.Value.Count, Tag("kind", pair.Key))), null, "Objects in memory");
        Source.CreateObservableGauge("storeoperator_build_info", () => One(1, Tag("version", typeof(Telemetry).Assembly.GetName().Version!.ToString(3))), null, "1, with the version of the operator");
    }

    public static void Watch(string name, WorkQueue queue) => Queues[name] = queue;

    /// <summary>For the operator that is this process.</summary>
    public static void Watch(ClusterMetrics clusters, IEnumerable<IReflector> reflectors, int workers)
    {
        clusters.Export(Source);
        Telemetry.workers = workers;
        foreach (var reflector in reflectors) Reflectors[reflector.Kind] = reflector;
    }

    public static void Leading(string lease, bool leading) => Leaders[lease] = leading;

    public static void Relisted(string kind) => Relists.Add(1, Tag("kind", kind));

    public static void Stepped(string step, bool succeeded) => Steps.Add(1, Tag("step", step), Tag("result", succeeded ? "success" : "error"));

    public static void OperationStarted(string operation) => Operations.Add(1, Tag("operation", operation), Tag("result", "started"));

    public static void OperationFinished(string operation, TimeSpan took)
    {
        Operations.Add(1, Tag("operation", operation), Tag("result", "success"));
        OperationTimes.Record(took.TotalSeconds, Tag("operation", operation));
    }

    public static void InvariantViolated(string invariant) => Violations.Add(1, Tag("invariant", invariant));

    public static void Requested(string code, string method, string host, TimeSpan took)
    {
        Requests.Add(1, Tag("code", code), Tag("method", method), Tag("host", host));
        RequestTime.Record(took.TotalSeconds, Tag("verb", method), Tag("host", host));
    }

    public static void Started() => Interlocked.Increment(ref activeWorkers);

    /// <summary>The spec is one that no further pass mends.</summary>
    public static void EndedForGood() => TerminalErrors.Add(1, Controller());

    public static void BrokenOff() => Timeouts.Add(1, Controller());

    /// <param name="result">success, error, requeue or requeue_after.</param>
    public static void Finished(string result, TimeSpan took, bool unexpected = false)
    {
        Interlocked.Decrement(ref activeWorkers);
        Reconciles.Add(1, Controller(), Tag("result", result));
        ReconcileTime.Record(took.TotalSeconds, Controller());
        if (result == "error") ReconcileErrors.Add(1, Controller());
        if (unexpected) Panics.Add(1, Controller());
    }

    static Measurement<long>[] One(long value, KeyValuePair<string, object?> tag) => [new(value, tag)];

    static KeyValuePair<string, object?> Controller() => Tag("controller", ControllerName);

    static KeyValuePair<string, object?>[] Queue(string name) => [Tag("name", name), Tag("controller", name)];

    static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);
}
