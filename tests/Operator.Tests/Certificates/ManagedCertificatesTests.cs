using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Certificates that cert-manager signs: what is asked of it, and what is said while it has not answered.</summary>
public sealed class ManagedCertificatesTests
{
    static readonly TlsSpec Tls = new()
    {
        Client = new ClientTlsSpec { Issuer = new IssuerSpec { CertManager = new CertManagerSpec { IssuerRef = new CertManagerIssuer { Name = "corporate", Kind = "ClusterIssuer" } } } },
        ExtraSans = ["store.example", "192.0.2.7"],
    };

    [Fact]
    public void Without_cert_manager_nothing_begins_and_a_condition_says_so()
    {
        var view = Begun().View() with { ManagedRefused = ("CertManagerMissing", "install cert-manager") };
        var plan = Planner.Decide(Diagnosis.Of(view));
        Assert.Null(plan.Step);
        Assert.Equal("CertManagerMissing", Assert.Single(plan.Blocked).Reason);
        Assert.Equal("CertManagerMissing", StatusReport.Build(Diagnosis.Of(view), plan, error: null).Conditions!.Single(condition => condition.Type == ConditionTypes.CertificatesReady).Reason);
    }

    [Fact]
    public void A_Certificate_is_asked_for_the_operator_for_applications_and_for_each_member_and_then_awaited()
    {
        var view = Begun().Operation(Operations.Form, 1).View();
        var asked = new List<ManagedCertificate>();
        while (Planner.Decide(Diagnosis.Of(view)).Step is Step.Apply { Object: ManagedCertificate next })
        {
            asked.Add(next);
            view = view with { Managed = [.. asked] };
        }

        Assert.Equal(["orders-operator-tls", "orders-client-tls", "orders-1-server-tls"], asked.Select(certificate => certificate.Spec.SecretName));
        Assert.Equal(new ManagedCertificateIssuer { Name = "corporate", Kind = "ClusterIssuer", Group = "cert-manager.io" }, asked[^1].Spec.IssuerRef);
        Assert.Contains("orders-1-0.orders-peers.shop.svc", asked[^1].Spec.DnsNames!);
        Assert.Equal(["127.0.0.1", "192.0.2.7"], asked[^1].Spec.IpAddresses!);
        Assert.Null(asked[0].Spec.DnsNames);
        var plan = Planner.Decide(Diagnosis.Of(view));
        Assert.Equal(("Certificates", "CertificatePending"), (plan.Rule, Assert.Single(plan.Blocked).Reason));
        view = view with { Given = Secrets(asked) };
        Assert.Equal("Form", Planner.Decide(Diagnosis.Of(view)).Rule);
    }

    [Fact]
    public void What_cert_manager_says_of_a_Certificate_that_it_does_not_sign_is_passed_on()
    {
        var view = Formed(Tls, out var managed);
        managed[2] = Says(managed[2], "False", "DoesNotExist", "Referenced \"ClusterIssuer\" not found: corporate");
        view = view with { Managed = managed, Given = Secrets(managed.Where(certificate => certificate.Metadata.Name != "orders-1-server-tls")) };
        var blocked = Assert.Single(Planner.Decide(Diagnosis.Of(view)).Blocked);
        Assert.Equal(("Certificates", "CertificatePending"), (blocked.Rule, blocked.Reason));
        Assert.Equal("cert-manager has yet to sign Certificate orders-1-server-tls; it says DoesNotExist: Referenced \"ClusterIssuer\" not found: corporate", blocked.Message);
    }

    [Fact]
    public void An_issuer_that_tells_no_authority_cannot_serve()
    {
        var view = Formed(Tls, out var managed);
        view.Given["orders-client-tls"].Data.Remove("ca.crt");
        var blocked = Assert.Single(Planner.Decide(Diagnosis.Of(view)).Blocked);
        Assert.Equal("SecretInvalid", blocked.Reason);
        Assert.Contains("its issuer does not tell whom to trust", blocked.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Changed_Certificates_follow_one_after_the_other_each_when_the_one_before_is_seen_to_be_shown()
    {
        var view = Loaded(Formed(Tls, out var managed));
        Assert.Empty(Planner.Decide(Diagnosis.Of(view)).Blocked);
        view = view with { Cluster = view.Cluster with { Spec = view.Spec with { Tls = Tls with { ExtraSans = ["store.example"] } } } };
        // Those of the operator and of applications are for no name: the first that changes is the first member's.
        for (var number = 1; number <= 3; number++)
        {
            var index = number + 1;
            var step = Assert.IsType<Step.Apply>(Planner.Decide(Diagnosis.Of(view)).Step);
            Assert.Equal($"orders-{number}-server-tls", step.Object.Metadata.Name);
            // It is written, and not signed yet.
            managed[index] = Says((ManagedCertificate)step.Object, "True", "Ready", "", generation: 1);
            (managed[index].Metadata.Generation, managed[index].Metadata.Uid) = (2, "uid");
            view = view with { Managed = [.. managed] };
            if (number < 3) Assert.Contains($"cert-manager has yet to sign Certificate orders-{number}-server-tls", Waits(view), StringComparison.Ordinal);
            // It is signed, and not shown yet.
            managed[index] = Says(managed[index], "True", "Ready", "", generation: 2);
            view = view with { Managed = [.. managed], Given = new Dictionary<string, V1Secret>(view.Given) { [managed[index].Metadata.Name] = Secret(managed[index].Spec) } };
            // A kubelet is asked once to bring it; then it is waited for.
            var refresh = Assert.IsType<Step.RefreshPod>(Planner.Decide(Diagnosis.Of(view)).Step);
            Assert.Equal($"orders-{number}-0", refresh.Pod);
            view.Pods.Single(pod => pod.Name() == refresh.Pod).SetAnnotation(Annotations.Certificates, refresh.Contents);
            if (number < 3) Assert.Contains($"orders-{number} has yet to show its client certificate", Waits(view), StringComparison.Ordinal);
            view = Loaded(view);
        }

        Assert.Empty(Planner.Decide(Diagnosis.Of(view)).Blocked);

        static string Waits(ClusterView view)
        {
            var plan = Planner.Decide(Diagnosis.Of(view));
            Assert.Null(plan.Step);
            return Assert.Single(plan.Blocked, blocked => blocked is { Rule: "Certificates", Reason: "CertificateNotLoaded" }).Message!;
        }
    }

    [Fact]
    public void The_Certificate_of_a_member_that_is_gone_is_deleted_and_then_the_Secret_that_cert_manager_leaves()
    {
        var view = Formed(Tls, out var managed);
        var gone = ManagedCertificates.Build(view.Cluster, new WantedCertificate(TlsSide.Client, "orders-9-server-tls", "orders-9", ["orders-9"], new MemberName("orders", 9)));
        gone.Metadata.Uid = "gone";
        var left = Secret(gone.Spec);
        left.Metadata.Uid = "left";
        left.Metadata.Annotations = new Dictionary<string, string> { [ManagedCertificates.NameAnnotation] = "orders-9-server-tls" };
        view = view with { Managed = [.. managed, gone], Given = new Dictionary<string, V1Secret>(view.Given) { [left.Metadata.Name] = left } };
        Assert.Equal(new Step.DeleteManagedCertificate("orders-9-server-tls", "gone"), Planner.Decide(Diagnosis.Of(view)).Step);
        view = view with { Managed = managed };
        Assert.Equal(new Step.DeleteSecret("orders-9-server-tls", "left"), Planner.Decide(Diagnosis.Of(view)).Step);
        // A Secret of that name which somebody else made stays.
        left.Metadata.Annotations.Clear();
        Assert.Null(Planner.Decide(Diagnosis.Of(view)).Step);
    }

    [Fact]
    public void What_cert_manager_left_of_a_former_StoreCluster_of_the_name_makes_way_for_certificates_that_the_operator_signs()
    {
        var left = Authority.Secret("orders-operator-tls", World.Now);
        left.Metadata.Uid = "left";
        left.Metadata.Annotations = new Dictionary<string, string> { [ManagedCertificates.NameAnnotation] = "orders-operator-tls" };
        var view = new TlsWorld(3).Without("orders-operator-tls").View() with { Given = new Dictionary<string, V1Secret> { [left.Metadata.Name] = left } };
        Assert.Equal(new Step.DeleteSecret("orders-operator-tls", "left"), Planner.Decide(Diagnosis.Of(view)).Step);
        // One of that name which somebody else made stays, and is in the way.
        left.Metadata.Annotations.Clear();
        Assert.IsType<Step.IssueCertificate>(Planner.Decide(Diagnosis.Of(view)).Step);
    }

    static World Begun() => new World().Spec(spec => spec with { Tls = Tls }).Status(status => status with { ClusterToken = "token", Tls = TlsSides.Latch(new StoreClusterSpec { Tls = Tls }) });

    static readonly ForeignAuthority Authority = ForeignAuthority.Root(World.Now);

    static V1Secret Secret(ManagedCertificateSpec spec) => Authority.Secret(spec.SecretName, World.Now, [.. spec.DnsNames ?? [], .. spec.IpAddresses ?? []]);

    static Dictionary<string, V1Secret> Secrets(IEnumerable<ManagedCertificate> managed) =>
        managed.ToDictionary(certificate => certificate.Spec.SecretName, certificate => Secret(certificate.Spec), StringComparer.Ordinal);

    /// <summary>Three members with a Certificate for everybody, all signed.</summary>
    static ClusterView Formed(TlsSpec tls, out List<ManagedCertificate> managed)
    {
        var world = new World().Spec(spec => spec with { Tls = tls }).Formed(3).Status(status => status with { Tls = TlsSides.Latch(new StoreClusterSpec { Tls = tls }) });
        managed = [.. WantedCertificate.OfAll(Diagnosis.Of(world.View()), TlsSide.Client).Select(wanted => ManagedCertificates.Build(world.Cluster(), wanted))];
        foreach (var certificate in managed) (certificate.Metadata.Uid, certificate.Metadata.Generation) = (certificate.Metadata.Name, 1);
        return world.View() with { Managed = managed, Given = Secrets(managed) };
    }

    /// <summary>Each member shows what its Secret holds.</summary>
    static ClusterView Loaded(ClusterView view) => view with
    {
        Handshakes = Enumerable.Range(1, 3).Select(number => new MemberName("orders", number)).ToDictionary(
            member => (member, TlsSide.Client),
            member => new Handshake(Certificate.Read(view.Shown(member, TlsSide.Client), "tls.crt", "tls.key")!.Serial, AcceptsNext: false)),
    };

    static ManagedCertificate Says(ManagedCertificate certificate, string status, string reason, string message, long generation = 1) => certificate with
    {
        Status = new ManagedCertificateStatus { Conditions = [new V1Condition { Type = "Ready", Status = status, Reason = reason, Message = message, ObservedGeneration = generation }] },
    };
}
