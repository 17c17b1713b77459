using System.IO.Pipelines;

namespace Store.Server;

/// <summary>Rows on their way into a response's pipe, which wait for the client after each piece.</summary>
sealed class RangePieces(PipeWriter writer)
{
    public const int FlushBytes = 256 * 1024;

    int unflushed;

    /// <summary>False when the client is gone.</summary>
    public async ValueTask<bool> WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> rows, CancellationToken cancellationToken)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            writer.Advance(RangeFields.WriteRow(writer.GetSpan(row.Length + RangeFields.RowOverheadMax), row.Span));
            if ((unflushed += row.Length) < FlushBytes) continue;
            unflushed = 0;
            if ((await writer.FlushAsync(cancellationToken)).IsCompleted) return false;
        }

        return true;
    }
}
