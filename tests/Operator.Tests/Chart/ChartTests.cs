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
    public async Task Nobody_is_granted_ConfigMaps_and_Secrets_only_in_single_namespaces()
    {
        var objects = await RenderAsync("--set", "rbac.secretNamespaces={a,b}");
        var clusterRoles = objects.OfType<V1ClusterRole>().ToList();
        Assert.DoesNotContain(clusterRoles.SelectMany(role => role.Rules), rule => rule.Resources.Any(resource => resource is "configmaps" or "*"));
        var secrets = Assert.Single(clusterRoles, role => role.Rules.Any(rule => rule.Resources.Contains("secrets")));
        Assert.DoesNotContain(["watch", "update", "*"], secrets.Rules.SelectMany(rule => rule.Verbs).Contains);
        Assert.DoesNotContain(secrets.Metadata.Name, objects.OfType<V1ClusterRoleBinding>().Select(binding => binding.RoleRef.Name));
        Assert.Equal(["a", "b"], objects.OfType<V1RoleBinding>().Where(binding => binding.RoleRef.Name == secrets.Metadata.Name).Select(binding => binding.Metadata.NamespaceProperty));
    }

    [Theory]
    [InlineData("rbac.certManager=true", true)]
    [InlineData("rbac.certManager=true,watchNamespaces={a}", true)]
    [InlineData("watchNamespaces={a}", false)]
    public async Task Certificates_of_cert_manager_are_granted_where_they_are_asked_for(string values, bool granted)
    {
        var objects = await RenderAsync("--set", values);
        var rules = objects.OfType<V1ClusterRole>().SelectMany(role => role.Rules).Concat(objects.OfType<V1Role>().SelectMany(role => role.Rules));
        Assert.Equal(granted ? 1 : 0, rules.Count(rule => rule.ApiGroups.Contains("cert-manager.io")));
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
        var definition = (await RenderAsync("--kube-version", version)).OfType<V1CustomResourceDefinition>().Single(definition => definition.Spec.Names.Kind == "StoreCluster");
        Assert.Equal("keep", definition.Metadata.Annotations["helm.sh/resource-policy"]);
        Assert.Equal(known, definition.Spec.Versions[0].Schema.OpenAPIV3Schema.XKubernetesValidations is not null);
        var written = Yaml.Read<V1CustomResourceDefinition>(CrdBuilder.Yaml<StoreCluster>());
        Assert.Equal(written.Metadata.Annotations[CrdBuilder.SchemaHashAnnotation], definition.Metadata.Annotations[CrdBuilder.SchemaHashAnnotation]);
    }

    [Fact]
    public async Task Two_pods_prefer_different_nodes_and_an_affinity_of_ones_own_replaces_that()
    {
        var deployment = (await RenderAsync()).OfType<V1Deployment>().Single();
        Assert.Equal(2, deployment.Spec.Replicas);
        Assert.Single(deployment.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution);
        var own = (await RenderAsync("--set-json", """affinity={"nodeAffinity":{}}""")).OfType<V1Deployment>().Single().Spec.Template.Spec.Affinity;
        Assert.Null(own.PodAntiAffinity);
        Assert.NotNull(own.NodeAffinity);
    }

    [Fact]
    public async Task Members_are_scraped_under_a_job_that_etcds_own_alerts_select()
    {
        var monitor = await RenderTextAsync("--set", "metrics.podMonitor.enabled=true", "--show-only", "templates/podmonitor.yaml");
        Assert.Contains("replacement: etcd/$1", monitor, StringComparison.Ordinal);
        Assert.Contains("replacement: backup/$1", monitor, StringComparison.Ordinal);
        Assert.Contains("any: true", monitor, StringComparison.Ordinal);
        var namespaced = await RenderTextAsync("--set", "metrics.podMonitor.enabled=true,watchNamespaces={a,b}", "--show-only", "templates/podmonitor.yaml");
        Assert.DoesNotContain("any: true", namespaced, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_operator_is_scraped_and_what_its_metrics_say_of_namespaces_is_kept()
    {
        var monitor = await RenderTextAsync("--set", "metrics.serviceMonitor.enabled=true", "--show-only", "templates/servicemonitor.yaml");
        Assert.Contains("honorLabels: true", monitor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_alert_rules_arrive_with_their_templates_untouched()
    {
        var rule = await RenderTextAsync("--set", "metrics.prometheusRule.enabled=true", "--show-only", "templates/prometheusrule.yaml");
        Assert.Contains("{{ $labels.namespace }}/{{ $labels.cluster }}", rule, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dashboards_arrive_as_they_are_in_the_chart()
    {
        var maps = (await RenderAsync("--set", "metrics.dashboards.enabled=true")).OfType<V1ConfigMap>().ToList();
        Assert.Equal(3, maps.Count);
        foreach (var (name, text) in maps.SelectMany(map => map.Data))
            Assert.Equal((await File.ReadAllTextAsync(Repository.At("charts", "store-operator", "monitoring", "dashboards", name), TestContext.Current.CancellationToken)).TrimEnd(), text.TrimEnd());
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

    static async Task<IReadOnlyList<object>> RenderAsync(params string[] more) => KubernetesYaml.LoadAllFromString(await RenderTextAsync(more), strict: true);

    static async Task<string> RenderTextAsync(params string[] more)
    {
        var (code, output, error) = await HelmAsync(["template", "store-operator", Repository.At("charts", "store-operator"), "--namespace", "system", .. more]);
        Assert.True(code == 0, error);
        return output;
    }

    static async Task<(int Code, string Output, string Error)> HelmAsync(params string[] arguments)
    {
        Assert.SkipUnless(Helm is not null, "helm is not on the PATH");
        var start = new ProcessStartInfo(Helm!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    static string? Helm => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "helm")).FirstOrDefault(File.Exists);
}
