using System.Globalization;
using Google.Protobuf;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Figures that dashboards draw must move when what they count happens.</summary>
public sealed class MovingMetricsTests
{
    [Fact]
    public async Task Writes_events_and_peers_that_come_and_go_are_counted()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var cluster = await LoopbackCluster.StartAsync(Product.Store, 3, cancellationToken);
        var leader = await cluster.LeaderAsync(cancellationToken);
        using var watch = new Watch.WatchClient(leader.Channel).Watch(cancellationToken: cancellationToken);
        await watch.RequestStream.WriteAsync(new WatchRequest { CreateRequest = new WatchCreateRequest { Key = ByteString.CopyFromUtf8("a") } }, cancellationToken);
        Assert.True(await watch.ResponseStream.MoveNext(cancellationToken));
        await new KV.KVClient(leader.Channel).PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8("a") }, cancellationToken: cancellationToken);
        Assert.True(await watch.ResponseStream.MoveNext(cancellationToken));

        await AwaitAsync(leader, metrics => Sum(metrics, "etcd_network_active_peers") == 2, cancellationToken);
        var before = await MetricsAsync(leader, cancellationToken);
        Assert.Equal(1, Sum(before, "etcd_debugging_mvcc_events_total"));
        Assert.True(Sum(before, "etcd_disk_wal_write_duration_seconds_count") > 0, before);
        Assert.True(Sum(before, "etcd_server_apply_duration_seconds_count") > 0, before);

        var disconnected = Sum(before, "etcd_network_disconnected_peers_total");
        var lost = cluster.Members.First(member => member != leader);
        lost.Kill();
        await AwaitAsync(leader, metrics => Sum(metrics, "etcd_network_active_peers") == 1 && Sum(metrics, "etcd_network_disconnected_peers_total") > disconnected, cancellationToken);
        lost.Start();
        await AwaitAsync(leader, metrics => Sum(metrics, "etcd_network_active_peers") == 2, cancellationToken);
    }

    static async Task AwaitAsync(MemberProcess member, Func<string, bool> condition, CancellationToken cancellationToken)
    {
        var metrics = "";
        for (var attempt = 0; attempt < 300; attempt++)
        {
            metrics = await MetricsAsync(member, cancellationToken);
            if (condition(metrics))
                return;
            await Task.Delay(100, cancellationToken);
        }
        Assert.Fail($"the metrics of {member.Name} stay as they are:\n{string.Join('\n', metrics.Split('\n').Where(line => line.Contains("peers", StringComparison.Ordinal)))}");
    }

    static async Task<string> MetricsAsync(MemberProcess member, CancellationToken cancellationToken)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync($"{member.ClientUrl}/metrics", cancellationToken);
    }

    /// <summary>Over all labels; zero when there is no such series.</summary>
    static double Sum(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.Contains('}', StringComparison.Ordinal) ? line.LastIndexOf('}') + 1 : name.Length)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
}
