using System.Text;
using LocalCluster;

namespace Benchmarks;

/// <summary>What three members on two cores are to reach against etcd in the same run, and whether they did.</summary>
static class Goals
{
    const int JudgedMembers = 3;

    public static string Render(IReadOnlyList<Measurement> results)
    {
        var text = new StringBuilder("\n### Goals, three members\n\n| goal | reached | |\n|---|---|---|\n");
        foreach (var outstanding in new[] { 64, 256 })
        {
            foreach (var workload in new[] { "put", "cas" })
            {
                Throughput(text, results, workload, outstanding, 2.5);
                AtMost(text, results, workload, outstanding, "p99", m => m.Latency.At(0.99).TotalMilliseconds);
            }
            Throughput(text, results, "get", outstanding, 2.5);
            Throughput(text, results, "range", outstanding, 2);
        }
        Throughput(text, results, "watch", 1, 1);
        Throughput(text, results, "watch", 16, 1);
        AtMost(text, results, "put", 1, "p50", m => m.Latency.At(0.5).TotalMilliseconds);
        AtMost(text, results, "memory", 300_000, "resident", m => m.ResidentBytes);
        return text.ToString();
    }

    static void Throughput(StringBuilder text, IReadOnlyList<Measurement> results, string workload, int outstanding, double wanted) =>
        Judge(text, results, workload, outstanding, $"throughput >= {wanted} x etcd's", m => m.PerSecond, ratio => ratio >= wanted);

    static void AtMost(StringBuilder text, IReadOnlyList<Measurement> results, string workload, int outstanding, string what, Func<Measurement, double> figure) =>
        Judge(text, results, workload, outstanding, $"{what} <= etcd's", figure, ratio => ratio <= 1);

    static void Judge(
        StringBuilder text, IReadOnlyList<Measurement> results, string workload, int outstanding, string goal,
        Func<Measurement, double> figure, Func<double, bool> reached)
    {
        var store = Find(results, Product.Store, workload, outstanding);
        var etcd = Find(results, Product.Etcd, workload, outstanding);
        if (store is null || etcd is null)
            return;
        var ratio = figure(store) / figure(etcd);
        text.AppendLine($"| {workload} {outstanding}: {goal} | {ratio:F2} x | {(reached(ratio) ? "pass" : "**miss**")} |");
    }

    static Measurement? Find(IReadOnlyList<Measurement> results, Product product, string workload, int outstanding) =>
        results.FirstOrDefault(r => r.Members == JudgedMembers && r.Product == product && r.Workload == workload && r.Outstanding == outstanding);
}
