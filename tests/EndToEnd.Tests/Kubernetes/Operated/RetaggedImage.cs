using System.Formats.Tar;
using System.Text;
using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>The store's image once more under another tag: an update that changes nothing but the name, as far as the operator can see.</summary>
static class RetaggedImage
{
    public const string Tag = "new";

    /// <summary>Gives <c>localhost/store:new</c> to the cluster's nodes.</summary>
    public static async Task LoadAsync(CancellationToken cancellationToken)
    {
        var archive = Path.Combine(Path.GetTempPath(), $"store-{Guid.NewGuid():n}.tar");
        try
        {
            await WriteAsync(Path.Combine(Binaries.RepositoryRoot, "out/images/store.tar"), archive, cancellationToken);
            (await Shell.RunAsync(Path.Combine(Binaries.RepositoryRoot, ".ci/demo"), ["load", archive], null, TimeSpan.FromMinutes(3), cancellationToken: cancellationToken)).Succeeded();
        }
        finally
        {
            File.Delete(archive);
        }
    }

    /// <summary>An image's name stands in the index of an OCI layout, or in the manifest of a `docker save`; what it is made of stays as it is.</summary>
    static async Task WriteAsync(string from, string to, CancellationToken cancellationToken)
    {
        await using var source = File.OpenRead(from);
        await using var target = File.Create(to);
        await using var reader = new TarReader(source);
        await using var writer = new TarWriter(target, TarEntryFormat.Pax);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (entry.Name.TrimStart('.', '/') is "index.json" or "manifest.json")
            {
                using var text = new StreamReader(entry.DataStream!);
                var renamed = (await text.ReadToEndAsync(cancellationToken)).Replace("localhost/store:dev", $"localhost/store:{Tag}", StringComparison.Ordinal);
                entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(renamed));
            }
            await writer.WriteEntryAsync(entry, cancellationToken);
        }
    }
}
