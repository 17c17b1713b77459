using System.Text.Json;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class CrdTests
{
    [Theory]
    [InlineData("crds")]
    [InlineData("charts/store-operator/crd-bases")]
    public void The_committed_definitions_are_the_generated_ones(string folder)
    {
        Assert.Equal(Controller.CrdFiles.All.Select(file => file.Name).Order(), Directory.GetFiles(Repository.At(folder), "*.yaml").Select(path => Path.GetFileName(path)!).Order());
        foreach (var (name, yaml) in Controller.CrdFiles.All)
        {
            Assert.True(File.ReadAllText(Repository.At(folder, name)) == yaml,
                $"{folder}/{name} differs from the classes: run `dotnet run --project operator/Operator.Controller -- crds crds charts/store-operator/crd-bases`");
        }
    }

    [Fact]
    public void Kubernetes_models_read_every_field_of_it()
    {
        var crd = Load();
        var version = Assert.Single(crd.Spec.Versions);
        Assert.Equal("storeclusters.storecluster.io", crd.Metadata.Name);
        Assert.Equal(["stc"], crd.Spec.Names.ShortNames);
        Assert.NotNull(version.Subresources.Status);
        Assert.Equal(".status.selector", version.Subresources.Scale.LabelSelectorPath);
        Assert.Equal([1, 3, 5, 7], version.Schema.OpenAPIV3Schema.Properties["spec"].Properties["replicas"].EnumProperty.Select(value => int.Parse(value.ToString()!)));
    }

    [Fact]
    public void Every_field_has_a_description_and_a_type()
    {
        Visit("", Load().Spec.Versions[0].Schema.OpenAPIV3Schema);

        static void Visit(string path, V1JSONSchemaProps schema)
        {
            Assert.True(schema.Type is not null || schema.XKubernetesIntOrString == true, $"{path} has no type");
            foreach (var (name, property) in schema.Properties ?? new Dictionary<string, V1JSONSchemaProps>())
            {
                Assert.True(path + name == "metadata" || !string.IsNullOrWhiteSpace(property.Description), $"{path}{name} has no description");
                Visit($"{path}{name}.", property);
            }

            if (schema.Items is JsonElement) Assert.Fail("unread items");
        }
    }

    public static TheoryData<string> Samples => [.. Directory.GetFiles(Repository.At("crds", "examples"), "*.yaml").Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_samples_are_valid_and_read_back(string file)
    {
        var text = File.ReadAllText(Repository.At("crds", "examples", file)).Split("---\n").Single(document => document.Contains("kind: StoreCluster\n", StringComparison.Ordinal));
        var sample = Yaml.Read<StoreCluster>(text);
        Assert.Null(SpecValidation.Check(sample));
        Assert.Equal(3, sample.Spec.Replicas);
    }

    [Fact]
    public void Status_survives_a_round_trip_unchanged()
    {
        var status = StatusReport.Build(Diagnosis.Of(new World().Formed(3).View()), new Plan(null, Plan.Steady, []), error: null);
        var text = KubernetesJson.Serialize(status);
        Assert.Equal(text, KubernetesJson.Serialize(KubernetesJson.Deserialize<StoreClusterStatus>(text)));
    }

    static V1CustomResourceDefinition Load() => KubernetesYaml.Deserialize<V1CustomResourceDefinition>(CrdBuilder.Yaml<StoreCluster>(), strict: true);
}
