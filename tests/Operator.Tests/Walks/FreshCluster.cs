using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Operator.Core;

namespace Operator.Tests;

/// <summary>What becomes of a spec on a Kubernetes that has seen nothing else: what any history has to lead to as well.</summary>
/// <param name="State">See <see cref="WorldState.WithoutHistory"/>.</param>
sealed record FreshCluster(bool Ready, string State)
{
    static readonly ConcurrentDictionary<string, FreshCluster> Known = new(StringComparer.Ordinal);

    /// <param name="spec">With defaults filled in.</param>
    public static FreshCluster Of(JsonObject spec) => Known.GetOrAdd(spec.ToJsonString(), _ => Make(spec));

    static FreshCluster Make(JsonObject spec)
    {
        using var simulation = new Simulation();
        SpecWalk.Furnish(simulation);
        CertificateKeepers.Furnish(simulation);
        simulation.Apply(Scenario.Cluster, spec);
        simulation.RunUntilQuiet(TimeSpan.FromSeconds(90), TimeSpan.FromHours(1));
        return new FreshCluster(simulation.Cluster(Scenario.Cluster).Status!.Conditions!.Any(condition => condition is { Type: ConditionTypes.Ready, Status: "True" }), WorldState.WithoutHistory(simulation));
    }
}
