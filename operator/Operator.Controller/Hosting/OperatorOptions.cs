namespace Operator.Controller;

/// <summary>The command line, <c>--name=value</c>. There are no variables for these: Kubernetes itself sets STORE_OPERATOR_... in the pods beside a Service
/// of that name.</summary>
sealed record OperatorOptions
{
    public IReadOnlyList<string> WatchNamespaces { get; init; } = [];
    public string DefaultImage { get; init; } = "";
    public bool LeaderElect { get; init; } = true;
    public string LeaseNamespace { get; init; } = "default";
    public string LeaseName { get; init; } = "store-operator";
    public string Identity { get; init; } = "";
    public int MetricsPort { get; init; } = 8080;
    public int HealthPort { get; init; } = 8081;
    public int Workers { get; init; } = 4;
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public const string Usage = """
        store-operator: forms and heals StoreClusters.

          --default-image=IMAGE      image of clusters whose spec names none (required)
          --watch-namespaces=A,B     namespaces to watch; all when empty
          --leader-elect=true        wait for a Lease before acting
          --lease-namespace=NS       where that Lease is; POD_NAMESPACE, else default
          --lease-name=NAME          its name; store-operator
          --identity=NAME            this process in the Lease; POD_NAME, else the host's name
          --metrics-port=8080        /metrics
          --health-port=8081         /healthz and /readyz
          --workers=4                StoreClusters worked on at once
          --log-level=Information    Trace, Debug, Information, Warning or Error

        store-operator crds [FOLDER...]   writes the CustomResourceDefinitions
        store-operator version
        """;

    /// <returns>The options, or one line that says what is wrong and what to do.</returns>
    public static (OperatorOptions? Options, string? Error) Parse(IReadOnlyList<string> args, Func<string, string?> environment)
    {
        var options = new OperatorOptions
        {
            LeaseNamespace = environment("POD_NAMESPACE") ?? "default",
            Identity = environment("POD_NAME") ?? environment("HOSTNAME") ?? $"store-operator-{Guid.NewGuid():n}",
        };
        foreach (var arg in args)
        {
            var parts = arg.Split('=', 2);
            if (!arg.StartsWith("--", StringComparison.Ordinal) || parts.Length != 2 || !Names.Contains(parts[0][2..]))
                return (null, $"\"{arg}\" is no flag of store-operator; flags are written --name=value, see --help");
            if (Set(options, parts[0][2..], parts[1]) is not { } set) return (null, $"{parts[0]} cannot be \"{parts[1]}\"; see --help");
            options = set;
        }

        return options.DefaultImage.Length == 0
            ? (null, "--default-image is missing: give the store's image, such as --default-image=registry.example/store:1.0")
            : (options, null);
    }

    static readonly string[] Names =
    [
        "default-image", "watch-namespaces", "leader-elect", "lease-namespace", "lease-name", "identity", "metrics-port", "health-port", "workers", "log-level",
    ];

    static OperatorOptions? Set(OperatorOptions options, string name, string value) => name switch
    {
        "default-image" => options with { DefaultImage = value },
        "watch-namespaces" => options with { WatchNamespaces = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) },
        "leader-elect" => bool.TryParse(value, out var elect) ? options with { LeaderElect = elect } : null,
        "lease-namespace" => options with { LeaseNamespace = value },
        "lease-name" => options with { LeaseName = value },
        "identity" => options with { Identity = value },
        "metrics-port" => Port(value) is { } port ? options with { MetricsPort = port } : null,
        "health-port" => Port(value) is { } port ? options with { HealthPort = port } : null,
        "workers" => int.TryParse(value, out var workers) && workers is > 0 and <= 64 ? options with { Workers = workers } : null,
        "log-level" => Enum.TryParse<LogLevel>(value, ignoreCase: true, out var level) ? options with { LogLevel = level } : null,
        _ => null,
    };

    static int? Port(string value) => int.TryParse(value, out var port) && port is > 0 and < 65536 ? port : null;
}
