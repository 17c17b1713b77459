using Xunit;

namespace Architecture.Tests;

/// <summary>Who may know whom. The table is the design; a new arrow is a decision, made here.</summary>
public sealed class DependencyTests
{
    static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Store.Protocol"] = [],
        ["Store.Raft"] = [],
        ["Store.State"] = ["Store.Raft", "Store.Protocol"],
        ["Store.Storage"] = ["Store.State", "Store.Raft"],
        ["Store.Server"] = ["Store.State", "Store.Storage", "Store.Protocol", "Store.Raft"],
        ["Store.Agent"] = ["Store.Protocol", "Store.Storage"],
        ["Store"] = ["Store.Server", "Store.Agent"],
        ["Operator.Core"] = [],
        ["Operator.Controller"] = ["Operator.Core", "Store.Protocol"],
        ["Store.Simulation"] = ["Store.State", "Store.Raft"],
    };

    public static TheoryData<string> ProductProjects => [.. Repository.Projects.Values.Where(project => !project.IsTest).Select(project => project.Name)];

    [Theory]
    [MemberData(nameof(ProductProjects))]
    public void A_project_references_only_what_the_design_allows(string name)
    {
        Assert.True(Allowed.ContainsKey(name), $"{name} is new: say in this table what it may reference");
        Assert.Empty(Repository.Projects[name].References.Except(Allowed[name]));
    }

    [Fact]
    public void The_simulator_sees_the_cores_alone() =>
        Assert.Empty(Repository.Projects["Store.Simulation"].References.Except(Allowed["Store.Simulation"]));

    [Theory]
    [InlineData("Store.Raft")]
    [InlineData("Store.State")]
    public void A_core_is_held_to_determinism_by_the_compiler(string name) => Assert.True(Repository.Projects[name].IsDeterministicCore);

    [Fact]
    public void The_raft_core_uses_no_package() => Assert.Empty(Repository.Projects["Store.Raft"].Packages);

    [Fact]
    public void The_operators_core_knows_kubernetes_by_its_models_alone()
    {
        string[] allowedPackages = ["KubernetesClient", "YamlDotNet", "Cronos", "Microsoft.CodeAnalysis.BannedApiAnalyzers"];
        Assert.Empty(Repository.Projects["Operator.Core"].Packages.Except(allowedPackages));
    }

    [Fact]
    public void Every_package_version_stands_in_one_file()
    {
        var elsewhere = Repository.Projects.Values.Where(project => File.ReadAllText(project.Path).Contains("Version=\"", StringComparison.Ordinal));
        Assert.Empty(elsewhere.Select(project => project.Name));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Operator.sln"));
        Assert.Empty(Repository.Projects.Keys.Where(name => !solution.Contains($"{name}.csproj", StringComparison.Ordinal)));
    }
}
