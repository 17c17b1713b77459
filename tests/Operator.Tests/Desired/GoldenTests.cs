using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>A StoreCluster in, manifests out. After a wanted change: <c>UPDATE_GOLDEN=1 dotnet run --project tests/Operator.Tests</c>, and read the diff.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("everything")]
    [InlineData("tls")]
    [InlineData("backup")]
    [InlineData("tls-secrets")]
    [InlineData("tls-cert-manager")]
    [InlineData("restore")]
    public void Manifests_are_as_reviewed(string folder)
    {
        var path = Repository.At("tests", "Operator.Tests", "Golden", folder);
        var cluster = Yaml.Read<StoreCluster>(File.ReadAllText(Path.Combine(path, "storecluster.yaml")));
        cluster.Metadata.NamespaceProperty = "shop";
        cluster.Metadata.Uid = "00000000-0000-0000-0000-000000000001";
        Assert.Null(SpecValidation.Check(cluster));
        var rendered = string.Join("---\n", Objects(cluster).Select(item => YamlText.Write(JsonNode.Parse(KubernetesJson.Serialize(item))!)));
        var golden = Path.Combine(path, "manifests.yaml");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(golden, rendered);
        Assert.Equal(File.ReadAllText(golden), rendered);
        // All but what is not Kubernetes' own.
        var known = rendered.Split("---\n").Where(manifest => !manifest.StartsWith("apiVersion: cert-manager.io", StringComparison.Ordinal)).ToList();
        Assert.Equal(5 + (cluster.Spec.WantsAuth ? 1 : 0) + (cluster.Spec.Issuer(TlsSide.Client) is { IsSelfSigned: true } ? 2 : 0), KubernetesYaml.LoadAllFromString(string.Join("---\n", known), strict: true).Count);
    }

    static IEnumerable<IKubernetesObject<V1ObjectMeta>> Objects(StoreCluster cluster)
    {
        var image = StoreImage.Of(cluster.Spec, "registry.example/store:1.0");
        var (first, second) = (new MemberName(cluster.Metadata.Name, 1), new MemberName(cluster.Metadata.Name, 2));
        var both = new Membership("cafe", [Listed(first, started: true), Listed(second, started: false)]);
        yield return PeerService.Build(cluster);
        yield return ClientService.Build(cluster);
        yield return DisruptionBudget.Build(cluster, voters: 1);
        if (cluster.Spec.WantsAuth) yield return OperatorLogin.Build(cluster, "thrown");
        yield return MemberStatefulSet.Build(cluster, first, Ticket.Form(first, "shop", cluster.Spec.Scheme(TlsSide.Peer)), "token", image);
        yield return MemberStatefulSet.Build(cluster, second, Ticket.Join(both, "shop", cluster.Spec.Scheme(TlsSide.Peer)), "token", image);
        foreach (var wanted in WantedCertificate.OfAll(Diagnosis.Of(new ClusterView { Cluster = cluster, ObservedAt = World.Now, DefaultImage = image, Membership = both }), TlsSide.Client).Where(_ => cluster.Spec.Issuer(TlsSide.Client)?.CertManager is not null))
            yield return ManagedCertificates.Build(cluster, wanted);
        if (cluster.Spec.Issuer(TlsSide.Client) is not { IsSelfSigned: true }) yield break;
        // Of the Secrets their form: keys and certificates are different each time.
        yield return new Authority(Certificate("authority"), Certificate("next"), Previous: null).Secret(cluster, TlsSide.Client, version: null);
        yield return CertificateSecret.OfLeaf(cluster, CertificateNames.Member(first, TlsSide.Client), "certificate", "key", "authorities", World.Now);
    }

    static Certificate Certificate(string text) => new(text, $"{text}'s key", "1", World.Now, World.Now, "", "", []);

    static ListedMember Listed(MemberName name, bool started) => new(name, (ulong)name.Number, [name.PeerUrl("shop")], Learner: !started, started);
}
