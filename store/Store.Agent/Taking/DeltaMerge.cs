namespace Store.Agent;

/// <summary>Makes one delta of many, and removes these: first the new one is published, then the old ones lose their manifests. Between the two both restore.</summary>
sealed class DeltaMerge(BackupCatalogue catalogue, BackupReader reader, BackupWriter writer, string scratch, string version)
{
    /// <param name="run">As <see cref="DeltaMerging.Next"/> gives it.</param>
    public async Task<Manifest> RunAsync(IReadOnlyList<Manifest> run, string id, Pace pace, CancellationToken cancellationToken)
    {
        var last = run[^1];
        using var unpacked = await UnpackedBackups.OpenAsync(new(run, last.To), reader, scratch, cancellationToken);
        using var image = await Task.Run(() => new SnapshotImage(unpacked.Backend.Buckets, cancellationToken), cancellationToken);
        var draft = last with
        {
            Id = id,
            From = run[0].From,
            Points = DeltaMerging.Points(run),
            Level = last.Level + 1,
            PlainBytes = image.Bytes,
            Version = version,
        };
        var merged = await writer.WriteAsync(draft, image.ReadAsync(), pace, cancellationToken);
        foreach (var delta in run) await catalogue.RemoveAsync(delta, cancellationToken);
        return merged;
    }
}
