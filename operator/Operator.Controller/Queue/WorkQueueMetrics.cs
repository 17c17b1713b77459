namespace Operator.Controller;

/// <summary>client-go's metrics of one queue.</summary>
internal sealed class WorkQueueMetrics(string name)
{
    private readonly KeyValuePair<string, object?> _name = new("name", name);
    private readonly KeyValuePair<string, object?> _controller = new("controller", name);

    public void Added() => Telemetry.QueueAdds.Add(1, _name, _controller);

    public void Retried() => Telemetry.QueueRetries.Add(1, _name, _controller);

    public void Waited(TimeSpan time) => Telemetry.QueueTime.Record(time.TotalSeconds, _name, _controller);

    public void Worked(TimeSpan time) => Telemetry.QueueWork.Record(time.TotalSeconds, _name, _controller);
}
