using System.Text;
using LocalCluster;

namespace Benchmarks;

/// <summary>The figures as Markdown: absolute ones a target, then the store's in ratio to etcd's.</summary>
static class Tables
{
    public static string Render(IReadOnlyList<Measurement> results)
    {
        var text = new StringBuilder();
        foreach (var members in results.GroupBy(r => r.Members))
        {
            text.AppendLine($"\n### {members.Key} member{(members.Key == 1 ? "" : "s")}\n");
            text.AppendLine("| workload | out | server | per second | p50 ms | p99 ms | CPU s / 10,000 (watch: 100,000 events) | resident MiB | failed |");
            text.AppendLine("|---|---|---|---|---|---|---|---|---|");
            foreach (var r in members)
                text.AppendLine(r.Workload == "memory"
                    ? $"| 300,000 keys | | {Name(r)} | | | | | {Mebibytes(r):F0} | |"
                    : $"| {r.Workload} | {Out(r)} | {Name(r)} | {r.PerSecond:N0} | {P50(r):F2} | {P99(r):F2} | {r.CpuSeconds:F2} | {Mebibytes(r):F0} | {r.Failed} |");
            RenderRatios(text, [.. members]);
        }
        return text.ToString();
    }

    /// <summary>One measurement in one line, for progress.</summary>
    public static string Line(Measurement r) => r.Workload == "memory"
        ? $"{Name(r)} x{r.Members} 300,000 keys: {Mebibytes(r):F0} MiB"
        : $"{Name(r)} x{r.Members} {r.Workload} {Out(r)}: {r.PerSecond:N0}/s, p50 {P50(r):F2} ms, p99 {P99(r):F2} ms, CPU {r.CpuSeconds:F2} s, failed {r.Failed}";

    static void RenderRatios(StringBuilder text, Measurement[] results)
    {
        var pairs = results.Where(r => r.Product == Product.Store)
            .Select(store => (Store: store, Etcd: results.FirstOrDefault(e => e.Product == Product.Etcd && e.Workload == store.Workload && e.Outstanding == store.Outstanding)))
            .Where(pair => pair.Etcd is not null)
            .ToArray();
        if (pairs.Length == 0)
            return;
        text.AppendLine("\nStore / etcd (throughput: more is better; the others: less is better)\n");
        text.AppendLine("| workload | out | throughput | p50 | p99 | CPU | resident |");
        text.AppendLine("|---|---|---|---|---|---|---|");
        foreach (var (s, e) in pairs)
        {
            var resident = Mebibytes(s) / Mebibytes(e!);
            text.AppendLine(s.Workload == "memory"
                ? $"| 300,000 keys | | | | | | {resident:F2} |"
                : $"| {s.Workload} | {Out(s)} | {s.PerSecond / e!.PerSecond:F2} | {P50(s) / P50(e):F2} | {P99(s) / P99(e):F2} | {s.CpuSeconds / e.CpuSeconds:F2} | {resident:F2} |");
        }
    }

    static string Name(Measurement r) => r.Product == Product.Etcd ? "etcd" : "store";

    static string Out(Measurement r) => r.Workload == "watch" ? $"{r.Outstanding} writer{(r.Outstanding == 1 ? "" : "s")}" : $"{r.Outstanding}";

    static double P50(Measurement r) => r.Latency.At(0.5).TotalMilliseconds;

    static double P99(Measurement r) => r.Latency.At(0.99).TotalMilliseconds;

    static double Mebibytes(Measurement r) => r.ResidentBytes / 1048576.0;
}
