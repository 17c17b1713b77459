using System.IO.Pipelines;

namespace Store.Server;

/// <summary>A RangeResponse written by hand, row by row, with what is held for it until it is on its way.</summary>
abstract class RangeAnswer
{
    public long SizeBytes { get; protected init; }

    public abstract ValueTask WriteAsync(PipeWriter writer);

    /// <summary>Called once, when the answer is written or given up.</summary>
    public abstract void Release();
}
