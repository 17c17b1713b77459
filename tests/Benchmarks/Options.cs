using System.Globalization;
using LocalCluster;

namespace Benchmarks;

/// <summary>What to measure and for how long.</summary>
sealed record Options
{
    public const string Usage = """
        Measures the store beside etcd on this machine: same disk, both with fsync, rounds in turn, figures and ratios as Markdown on standard output.

          --quick               one short round of everything, about two minutes
          --only A,B            of put, cas, get, range, watch, memory        (all)
          --members 1,3         sizes of cluster                              (1,3)
          --outstanding 1,64    requests in flight                            (1,64,256)
          --targets etcd,store  who is measured                               (etcd,store)
          --seconds S           measured time of one round                    (2)
          --rounds N            rounds a target, in turn                      (2)
          --warm S              load before a cluster is first timed          (10)
          --load leader|all     which members take the load                   (leader)
          --folder PATH         where data directories go                     (out/bench in the repository)

        Programs: STORE_BIN (default out/store/store), ETCD_BIN (etcd 3.5; default what ../shared/etcd/get prints).
        """;

    static readonly string[] KnownWorkloads = ["put", "cas", "get", "range", "watch", "memory"];

    public IReadOnlyList<string> Workloads { get; init; } = KnownWorkloads;
    public IReadOnlyList<int> Members { get; init; } = [1, 3];
    public IReadOnlyList<int> Outstanding { get; init; } = [1, 64, 256];
    public IReadOnlyList<Product> Targets { get; init; } = [Product.Etcd, Product.Store];
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan Ramp { get; init; } = TimeSpan.FromSeconds(0.4);
    public TimeSpan Warm { get; init; } = TimeSpan.FromSeconds(10);
    public int Rounds { get; init; } = 2;
    public bool LoadAll { get; init; }
    public string Folder { get; init; } = Path.Combine(Binaries.RepositoryRoot, "out/bench");

    /// <exception cref="FormatException">Says which option is wrong.</exception>
    public static Options Parse(string[] arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--quick")
            {
                options = options with { Measured = TimeSpan.FromSeconds(1), Ramp = TimeSpan.FromSeconds(0.3), Warm = TimeSpan.FromSeconds(4), Rounds = 1 };
                continue;
            }
            if (i + 1 == arguments.Length)
                throw new FormatException($"{arguments[i]}: not an option, or without its value.");
            options = options.With(arguments[i], arguments[++i]);
        }
        return options;
    }

    Options With(string name, string value) => name switch
    {
        "--only" => this with { Workloads = [.. value.Split(',').Select(Known)] },
        "--members" => this with { Members = Numbers(value) },
        "--outstanding" => this with { Outstanding = Numbers(value) },
        "--targets" => this with { Targets = [.. value.Split(',').Select(t => Enum.Parse<Product>(t, ignoreCase: true))] },
        "--seconds" => this with { Measured = Seconds(value) },
        "--rounds" => this with { Rounds = int.Parse(value, CultureInfo.InvariantCulture) },
        "--warm" => this with { Warm = Seconds(value) },
        "--load" => this with { LoadAll = value == "all" },
        "--folder" => this with { Folder = value },
        _ => throw new FormatException($"{name}: no such option."),
    };

    static string Known(string workload) =>
        KnownWorkloads.Contains(workload) ? workload : throw new FormatException($"--only {workload}: one of {string.Join(", ", KnownWorkloads)}.");

    static int[] Numbers(string value) => [.. value.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];

    static TimeSpan Seconds(string value) => TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture));
}
