using System.Diagnostics;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>The chart as Helm renders it, read strictly: an unknown field or a wrong type fails. Needs helm, and says so when it is not there.</summary>
public sealed class ChartTests
{
    [Fact]
    public async Task Every_object_is_readable_and_the_pod_is_restricted()
    {
        var deployment = (await RenderAsync()).OfType<V1Deployment>().Single();
        var pod = deployment.Spec.Template.Spec;
        var container = pod.Containers.Single();
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.False(pod.EnableServiceLinks);
        Assert.Contains("--default-image=localhost/store:dev", container.Args);
    }

    [Fact]
    public async Task Nobody_is_granted_Secrets_or_ConfigMaps()
    {
        var rules = (await RenderAsync()).SelectMany(item => item switch { V1ClusterRole role => role.Rules, V1Role role => role.Rules, _ => [] });
        Assert.DoesNotContain(rules, rule => rule.Resources.Any(resource => resource is "secrets" or "configmaps" or "*"));
    }

    [Fact]
    public async Task Listed_namespaces_get_Roles_and_no_ClusterRole()
    {
        var objects = await RenderAsync("--set", "watchNamespaces={a,b}");
        Assert.Empty(objects.OfType<V1ClusterRole>());
        Assert.Equal(["a", "b", "system"], objects.OfType<V1Role>().Select(role => role.Metadata.NamespaceProperty).Order());
    }

    [Theory]
    [InlineData("1.20.2", false)]
    [InlineData("1.31.0", true)]
    public async Task The_definition_is_kept_and_carries_CEL_where_it_is_known(string version, bool known)
    {
        var definition = (await RenderAsync("--kube-version", version)).OfType<V1CustomResourceDefinition>().Single();
        Assert.Equal("keep", definition.Metadata.Annotations["helm.sh/resource-policy"]);
        Assert.Equal(known, definition.Spec.Versions[0].Schema.OpenAPIV3Schema.XKubernetesValidations is not null);
        var written = Yaml.Read<V1CustomResourceDefinition>(CrdBuilder.Yaml<StoreCluster>());
        Assert.Equal(written.Metadata.Annotations[CrdBuilder.SchemaHashAnnotation], definition.Metadata.Annotations[CrdBuilder.SchemaHashAnnotation]);
    }

    [Fact]
    public async Task Values_that_do_not_exist_are_refused()
    {
        var (code, _, error) = await HelmAsync("template", "x", Repository.At("charts", "store-operator"), "--set", "replicas=2");
        Assert.NotEqual(0, code);
        Assert.Contains("replicas", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lint_has_nothing_to_say()
    {
        var (code, output, error) = await HelmAsync("lint", "--strict", Repository.At("charts", "store-operator"));
        Assert.True(code == 0, output + error);
    }

    private static async Task<IReadOnlyList<object>> RenderAsync(params string[] more)
    {
        var (code, output, error) = await HelmAsync(["template", "store-operator", Repository.At("charts", "store-operator"), "--namespace", "system", .. more]);
        Assert.True(code == 0, error);
        return KubernetesYaml.LoadAllFromString(output, strict: true);
    }

    private static async Task<(int Code, string Output, string Error)> HelmAsync(params string[] arguments)
    {
        Assert.SkipUnless(Helm is not null, "helm is not on the PATH");
        var start = new ProcessStartInfo(Helm!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    private static string? Helm => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "helm")).FirstOrDefault(File.Exists);
}
