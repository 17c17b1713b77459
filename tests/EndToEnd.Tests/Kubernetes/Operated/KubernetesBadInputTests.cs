using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What the spec asks for and Kubernetes does not have: said in a condition and an event within 30 s, and then waited for without a write. All at once, in
/// namespaces of their own: one without rights, one without pods, and one where the operator may read Secrets and cert-manager's Certificates.</summary>
[Collection<KubernetesInstallation>]
public sealed class KubernetesBadInputTests(KubernetesDemo demo, ITestOutputHelper output)
{
    const string Namespace = "bad-input";
    static readonly string[] Namespaces = [Namespace, $"{Namespace}-quota", $"{Namespace}-tls"];

    static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    /// <summary>Reason, words of the message, what the spec has beside one small member.</summary>
    static readonly (string Name, string Reason, string Words, string Spec)[] Cases =
    [
        ("no-secret", "MountFailed", "secret \"keys\" not found",
            """{"podTemplate": {"volumes": [{"name": "keys", "secret": {"secretName": "keys"} }], "volumeMounts": [{"name": "keys", "mountPath": "/keys"}]} }"""),
        ("no-class", "VolumePending", "\"none\" not found", """{"storage": {"size": "1Gi", "storageClassName": "none"} }"""),
        ("no-quota", "QuotaExceeded", "exceeded quota: none", "{}"),
        ("no-image", "ImagePullFailed", "registry.invalid/store:none", """{"image": {"repository": "registry.invalid/store", "tag": "none"} }"""),
        ("no-root", "RootSecretUnreadable", "rbac.secretNamespaces", """{"auth": {"enabled": true, "rootSecret": {"name": "keys"} } }"""),
        ("tls-missing", "SecretMissing", "Secret missing, which spec.tls.peer.issuer.secretRefs names, does not exist", Signed("missing")),
        ("tls-expired", "Expired", "the certificate in Secret expired expired at", Signed("expired")),
        ("tls-foreign", "CertificateUntrusted", "Secret foreign is signed by none of the authorities in its ca.crt", Signed("foreign")),
        ("tls-unmanaged", "CertManagerMissing", "install cert-manager", """{"tls": {"peer": {"issuer": {"certManager": {"issuerRef": {"name": "corporate"} } } } } }"""),
    ];

    static string Signed(string secret) => $$"""{"tls": {"peer": {"issuer": {"secretRefs": {"member": {"name": "{{secret}}"} } } } } }""";

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_missing_is_said_within_30_seconds_and_then_nothing_is_written()
    {
        demo.RequireKubernetes();
        foreach (var space in Namespaces) await Kubectl.RunAsync("create", "namespace", space);
        try
        {
            await LetReadAsync($"{Namespace}-tls");
            await MakeSecretsAsync($"{Namespace}-tls");
            await Kubectl.RunAsync("create", "quota", "none", "--hard=pods=0", "-n", NamespaceOf("no-quota"));
            foreach (var (name, _, _, spec) in Cases) await ApplyAsync(name, spec);
            foreach (var (name, reason, words, _) in Cases)
            {
                var status = await OperatedCluster.UntilAsync($"{reason} of {name}", status => Says(status, reason, words), name, NamespaceOf(name), Soon);
                Assert.Equal("False", OperatedCluster.Condition(status, "Ready"));
                await HasEventAsync(NamespaceOf(name), name, reason);
            }

            await RestsAsync();
        }
        finally
        {
            await Kubectl.RunAsync(["delete", "namespace", .. Namespaces, "--timeout=90s"]);
        }
    }

    /// <summary>As the chart's rbac.secretNamespaces and rbac.certManager would. There is no cert-manager all the same.</summary>
    static async Task LetReadAsync(string space)
    {
        await Kubectl.RunAsync("create", "rolebinding", "store-operator-secrets", "--clusterrole=store-operator-secrets", "--serviceaccount=store-system:store-operator", "-n", space);
        await Kubectl.ApplyAsync($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: certificates, namespace: {{space}}}
            rules: [{apiGroups: [cert-manager.io], resources: [certificates], verbs: [get, list, create, patch, delete]}]
            """);
        await Kubectl.RunAsync("create", "rolebinding", "certificates", "--role=certificates", "--serviceaccount=store-system:store-operator", "-n", space);
    }

    /// <summary>For the right names and with the right key, yet one is of the day before, and one is of another authority than the members would trust.</summary>
    static async Task MakeSecretsAsync(string space)
    {
        using TestAuthority corporate = new("corporate"), other = new("other");
        using var expired = corporate.Sign("expired", TimeSpan.FromHours(-1), $"*.tls-expired-peers.{space}.svc");
        using var foreign = other.Sign("foreign", validFor: null, $"*.tls-foreign-peers.{space}.svc");
        foreach (var (name, certificate) in (IEnumerable<(string, X509Certificate2)>)[("expired", expired), ("foreign", foreign)])
        {
            var data = new Dictionary<string, string> { ["tls.crt"] = certificate.ExportCertificatePem(), ["tls.key"] = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), ["ca.crt"] = corporate.Pem };
            await Kubectl.ApplyAsync(JsonSerializer.Serialize(new { apiVersion = "v1", kind = "Secret", metadata = new { name, @namespace = space }, stringData = data }));
        }
    }

    /// <summary>The kubelet counts a pull's failures and says the same in other words between them: there is a last status, and it stays.</summary>
    async Task RestsAsync()
    {
        var quiet = TimeSpan.FromSeconds(20);
        var deadline = DateTime.UtcNow + TimeSpan.FromMinutes(1.5);
        var (since, before) = (DateTime.UtcNow, await VersionsAsync());
        while (DateTime.UtcNow - since < quiet)
        {
            Assert.True(DateTime.UtcNow < deadline, $"it goes on being written: {before}");
            await Task.Delay(TimeSpan.FromSeconds(1), Stop);
            var now = await VersionsAsync();
            if (now == before) continue;
            output.WriteLine($"{before}\n -> {now}");
            (since, before) = (DateTime.UtcNow, now);
        }
    }

    /// <summary>Of everything that the operator writes, but for events, which are read by their number.</summary>
    static async Task<string> VersionsAsync()
    {
        const string versions = "jsonpath={range .items[*]}{.kind}/{.metadata.name}@{.metadata.resourceVersion} {end}";
        var all = "";
        foreach (var space in Namespaces)
        {
            all += await Kubectl.RunAsync("get", "storeclusters,statefulsets,services,poddisruptionbudgets", "-n", space, "-o", versions);
            var events = await Kubectl.RunAsync("get", "events", "-n", space, "--field-selector", "involvedObject.kind=StoreCluster", "-o", "name");
            all += $"{events.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length} events ";
        }
        return all;
    }

    internal static async Task HasEventAsync(string @namespace, string name, string reason)
    {
        var deadline = DateTime.UtcNow + TimeSpan.FromSeconds(5);
        while ((await Kubectl.RunAsync("get", "events", "-n", @namespace, "--field-selector", $"involvedObject.name={name},reason={reason}", "-o", "name")).Trim().Length == 0)
            Assert.True(DateTime.UtcNow < deadline, $"no event {reason} of {name}");
    }

    static string NamespaceOf(string name) => name == "no-quota" ? $"{Namespace}-quota" : name.StartsWith("tls-", StringComparison.Ordinal) ? $"{Namespace}-tls" : Namespace;

    static async Task ApplyAsync(string name, string spec)
    {
        var wanted = JsonSerializer.Deserialize<Dictionary<string, object>>(spec)!;
        wanted["replicas"] = 1;
        wanted["deletionPolicy"] = "Delete";
        wanted.TryAdd("storage", new { size = "1Gi" });
        await Kubectl.ApplyAsync(JsonSerializer.Serialize(new
        {
            apiVersion = "storecluster.io/v1alpha1",
            kind = "StoreCluster",
            metadata = new { name, @namespace = NamespaceOf(name) },
            spec = wanted,
        }));
    }

    static bool Says(JsonElement status, string reason, string words) => status.TryGetProperty("conditions", out var conditions) && conditions.EnumerateArray().Any(condition =>
        condition.GetProperty("reason").GetString() == reason && condition.GetProperty("message").GetString()!.Contains(words, StringComparison.Ordinal));
}
