namespace Operator.Controller;

/// <summary>client-go's metrics of one queue.</summary>
sealed class WorkQueueMetrics(string name)
{
    readonly KeyValuePair<string, object?> name = new("name", name);
    readonly KeyValuePair<string, object?> controller = new("controller", name);

    public void Added() => Telemetry.QueueAdds.Add(1, name, controller);

    public void Retried() => Telemetry.QueueRetries.Add(1, name, controller);

    public void Waited(TimeSpan time) => Telemetry.QueueTime.Record(time.TotalSeconds, name, controller);

    public void Worked(TimeSpan time) => Telemetry.QueueWork.Record(time.TotalSeconds, name, controller);
}
