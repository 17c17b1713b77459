using System.Text.Json;
using k8s;
using k8s.Models;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>The operator's own process with cert-manager's Certificates on a real API server, where the test plays cert-manager: it signs when it is told to.</summary>
[Collection<ControlPlaneTests>]
public sealed class CertManagerTests(ControlPlane plane)
{
    const string Name = "signed";

    readonly ForeignAuthority authority = ForeignAuthority.Root(DateTime.UtcNow);

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static StoreClusterSpec Spec
    {
        get
        {
            var issuer = new IssuerSpec { CertManager = new CertManagerSpec { IssuerRef = new CertManagerIssuer { Name = "corporate" } } };
            return new StoreClusterSpec
            {
                Replicas = 1,
                Tls = new TlsSpec { Client = new ClientTlsSpec { Issuer = issuer }, Peer = new PeerTlsSpec { Issuer = issuer } },
                Scheduling = new SchedulingSpec { NodeSelector = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "nowhere" } },
            };
        }
    }

    [Fact]
    public async Task Certificates_are_asked_for_awaited_changed_and_deleted_with_their_StoreCluster()
    {
        plane.Require();
        await using var process = new OperatorProcess("one", plane.Namespace);
        var made = await plane.CreateAsync(Name, Spec);
        await SaysAsync("CertManagerMissing", "install cert-manager");

        await plane.DefineAsync(await File.ReadAllTextAsync(Repository.At("tests", "Operator.Tests", "ControlPlane", "certificates.yaml"), Stop));
        await SaysAsync("CertificatePending", $"Certificate {CertificateNames.Operator(Name)}; it has said nothing yet");
        await ControlPlane.UntilAsync("the operator's and applications' are asked for", async () => (await CertificatesAsync()).Count >= 2);
        var first = (await CertificatesAsync()).Single(certificate => certificate.Metadata.Name == CertificateNames.Operator(Name));
        Assert.Equal(("corporate", "Issuer", "cert-manager.io", made.Metadata.Uid), (first.Spec.IssuerRef.Name, first.Spec.IssuerRef.Kind, first.Spec.IssuerRef.Group, first.Metadata.OwnerReferences.Single().Uid));
        await TellAsync(first, "False", "IssuerNotFound", "there is no Issuer corporate");
        await SaysAsync("CertificatePending", "it says IssuerNotFound: there is no Issuer corporate");

        await ControlPlane.UntilAsync("all are signed, the member's too", async () =>
        {
            foreach (var certificate in await CertificatesAsync()) await SignAsync(certificate);
            return (await CertificatesAsync()).Count == 4 && Condition(await plane.ReadAsync(Name))?.Status == "True";
        });
        await ControlPlane.UntilAsync("the member's pod is asked for", async () => (await plane.VersionsAsync($"{Name}-1")).Any(version => version.StartsWith(nameof(V1StatefulSet), StringComparison.Ordinal)));

        await ChangesAndKeepsAsync();
        Assert.Null(await plane.Api.DeleteAsync<StoreCluster>(new ObjectKey(plane.Namespace, Name), made.Metadata.Uid, Stop));
        await ControlPlane.UntilAsync("they are collected", async () => (await CertificatesAsync()).Count == 0, seconds: 90);
    }

    /// <summary>Another name for members changes their Certificates, and only that: what somebody else wrote there stays, and one that fits already keeps its version.</summary>
    async Task ChangesAndKeepsAsync()
    {
        var before = await CertificatesAsync();
        var member = before.Single(certificate => certificate.Metadata.Name == CertificateNames.Member(new MemberName(Name, 1), TlsSide.Client));
        await plane.Client.CustomObjects.PatchNamespacedCustomObjectAsync(
            Patch(new { metadata = new { annotations = new { theirs = "kept" } } }), "cert-manager.io", "v1", plane.Namespace, "certificates", member.Metadata.Name, cancellationToken: Stop);
        await plane.PatchAsync(Name, new { spec = new { tls = new { extraSANs = new[] { "store.example" } } } });
        await ControlPlane.UntilAsync("the member's has the name", async () => (await CertificatesAsync()).Any(certificate =>
            certificate.Metadata.Name == member.Metadata.Name && certificate.Spec.DnsNames!.Contains("store.example") && certificate.Metadata.Annotations["theirs"] == "kept" && certificate.Metadata.Generation == member.Metadata.Generation + 1));
        string Operators(IEnumerable<ManagedCertificate> all) => all.Single(certificate => certificate.Metadata.Name == CertificateNames.Operator(Name)).Metadata.ResourceVersion;
        Assert.Equal(Operators(before), Operators(await CertificatesAsync()));
    }

    async Task<IReadOnlyList<ManagedCertificate>> CertificatesAsync() =>
        (await plane.Api.ListAsync<ManagedCertificate>(plane.Namespace, null, null, Stop)).Value?.Items ?? [];

    /// <summary>As cert-manager does: the Secret first, and then the word that it is there. What has been signed is left alone.</summary>
    async Task SignAsync(ManagedCertificate certificate)
    {
        if (certificate.Status?.Conditions?.Any(condition => condition.Status == "True" && condition.ObservedGeneration == certificate.Metadata.Generation) == true) return;
        var secret = authority.Secret(certificate.Spec.SecretName, DateTime.UtcNow, [.. certificate.Spec.DnsNames ?? [], .. certificate.Spec.IpAddresses ?? []]);
        secret.Metadata.NamespaceProperty = plane.Namespace;
        secret.Metadata.Labels = new Dictionary<string, string>(certificate.Spec.SecretTemplate.Labels);
        secret.Metadata.Annotations = new Dictionary<string, string> { [ManagedCertificates.NameAnnotation] = certificate.Metadata.Name };
        Assert.Null((await plane.Api.CreateAsync(secret, Stop)).Error);
        await TellAsync(certificate, "True", "Ready", "it is up to date");
    }

    async Task TellAsync(ManagedCertificate certificate, string status, string reason, string message)
    {
        var condition = new { type = "Ready", status, reason, message, observedGeneration = certificate.Metadata.Generation, lastTransitionTime = DateTime.UtcNow };
        await plane.Client.CustomObjects.PatchNamespacedCustomObjectStatusAsync(
            Patch(new { status = new { conditions = new[] { condition } } }), "cert-manager.io", "v1", plane.Namespace, "certificates", certificate.Metadata.Name, cancellationToken: Stop);
    }

    Task SaysAsync(string reason, string words) => ControlPlane.UntilAsync($"{reason}: {words}", async () =>
        Condition(await plane.ReadAsync(Name)) is { Status: "False" } condition && condition.Reason == reason && condition.Message.Contains(words, StringComparison.Ordinal));

    static V1Condition? Condition(StoreCluster cluster) => cluster.Status?.Conditions?.FirstOrDefault(condition => condition.Type == ConditionTypes.CertificatesReady);

    static V1Patch Patch(object patch) => new(JsonSerializer.Serialize(patch), V1Patch.PatchType.MergePatch);
}
