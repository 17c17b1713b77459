using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What Prometheus itself says of the store's /metrics.</summary>
public sealed class MetricsTests
{
    /// <summary>etcd has gauges called ..._total and more that the linter dislikes, and alerts that rely on their names. The store has those, and no fault of its own.</summary>
    [Fact]
    public async Task Prometheus_reads_the_metrics_and_dislikes_none_that_it_would_like_of_etcd()
    {
        var (store, etcd) = (await CheckAsync(Product.Store), await CheckAsync(Product.Etcd));
        Assert.Empty(store.Except(etcd));
    }

    static async Task<IReadOnlyList<string>> CheckAsync(Product product)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(product, 1, stop);
        using var http = new HttpClient();
        return await Promtool.CheckMetricsAsync(await http.GetStringAsync($"{cluster[0].ClientUrl}/metrics", stop));
    }
}
