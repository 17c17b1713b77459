using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class SpecValidationTests
{
    /// <summary>Field that the answer must name, and a spec that is wrong there.</summary>
    public static TheoryData<string, string> Wrong => new()
    {
        { "spec.replicas", "replicas: 2" },
        { "spec.deletionPolicy", "deletionPolicy: Forget" },
        { "spec.storage.size", "storage: { size: much }" },
        { "spec.resources.requests.cpu", "resources: { requests: { cpu: lots } }" },
        { "spec.resources.requests.memory", "resources: { requests: { memory: 2Gi }, limits: { memory: 1Gi } }" },
        { "spec.server.heartbeatIntervalMs", "server: { heartbeatIntervalMs: 1 }" },
        { "spec.server.electionTimeoutMs", "server: { electionTimeoutMs: 400 }" },
        { "spec.server.electionTimeoutMs", "server: { heartbeatIntervalMs: 300 }" },
        { "spec.server.quotaBytes", "server: { quotaBytes: 7Gi }" },
        { "spec.server.quotaBytes", "server: { quotaBytes: big }" },
        { "spec.server.maxRequestBytes", "server: { maxRequestBytes: 0 }" },
        { "spec.server.maxTxnOps", "server: { maxTxnOps: 0 }" },
        { "spec.server.snapshotCatchUpEntries", "server: { snapshotCatchUpEntries: 1 }" },
        { "spec.server.logLevel", "server: { logLevel: Loud }" },
        { "spec.server.autoCompaction.mode", "server: { autoCompaction: { mode: Never, retention: 5m } }" },
        { "spec.server.autoCompaction.retention", "server: { autoCompaction: { retention: soon } }" },
        { "spec.server.autoCompaction.retention", "server: { autoCompaction: { mode: Revision, retention: 5m } }" },
        { "spec.server.autoCompaction.retention", "server: { autoCompaction: { retention: \"5\" } }" },
        { "spec.auth.rootSecret", "auth: { enabled: true }" },
        { "spec.auth.rootSecret.name", "auth: { rootSecret: { name: \"\" } }" },
        { "spec.auth.rootSecret.key", "auth: { rootSecret: { name: root, key: \"\" } }" },
        { "spec.tls needs client, peer or both", "tls: {}" },
        { "spec.tls.client.mode", "tls: { client: { mode: Sometimes } }" },
        { "spec.tls.overlapSeconds", "tls: { peer: {}, overlapSeconds: -1 }" },
        { "spec.tls.extraSANs", "tls: { client: {}, extraSANs: [\"not a name\"] }" },
        { "spec.tls.extraSANs has \"Store.Example\"", "tls: { client: {}, extraSANs: [Store.Example] }" },
        { "spec.tls.extraSANs has \"FD00:0::1\"", "tls: { client: {}, extraSANs: [\"FD00:0::1\"] }" },
        { "spec.tls.client.issuer.selfSigned.validity", "tls: { client: { issuer: { selfSigned: { validity: 5m } } } }" },
        { "spec.tls.client.issuer.selfSigned.validity", "tls: { client: { issuer: { selfSigned: { validity: long } } } }" },
        { "spec.tls.peer.issuer.selfSigned.authorityValidity", "tls: { peer: { issuer: { selfSigned: { validity: 2h, authorityValidity: 5h } } } }" },
        { "spec.backup.target needs one of", "backup: { target: {} }" },
        { "spec.backup.target needs one of", "backup: { target: { s3: { bucket: backups }, volume: { claimName: backups } } }" },
        { "spec.backup.target.s3.bucket", "backup: { target: { s3: { bucket: B } } }" },
        { "spec.backup.target.s3.prefix", "backup: { target: { s3: { bucket: backups, prefix: /orders } } }" },
        { "spec.backup.target.s3.endpoint", "backup: { target: { s3: { bucket: backups, endpoint: minio } } }" },
        { "spec.backup.target.s3.credentialsSecret.name", "backup: { target: { s3: { bucket: backups, credentialsSecret: { name: \"\" } } } }" },
        { "spec.backup.target.volume.claimName", "backup: { target: { volume: { claimName: \"\" } } }" },
        { "spec.backup.encryptionKeySecret.key", "backup: { target: { volume: { claimName: backups } }, encryptionKeySecret: { name: x, key: a/b } }" },
        { "spec.backup.rpo is 30s", "backup: { target: { volume: { claimName: backups } }, rpo: 30s }" },
        { "spec.backup.rpo is 5m", "backup: { target: { volume: { claimName: backups } }, deltaInterval: 3m }" },
        { "spec.backup.rpo", "backup: { target: { volume: { claimName: backups } }, rpo: soon }" },
        { "spec.backup.fullInterval is 1m", "backup: { target: { volume: { claimName: backups } }, fullInterval: 1m, deltaInterval: 2m }" },
        { "spec.backup.retention.minimum", "backup: { target: { volume: { claimName: backups } }, retention: { minimum: 0 } }" },
        { "spec.backup.drill.interval", "backup: { target: { volume: { claimName: backups } }, drill: { interval: weekly } }" },
        { "spec.backup.resources.requests.memory", "backup: { target: { volume: { claimName: backups } }, resources: { requests: { memory: 2Gi }, limits: { memory: 1Gi } } }" },
        { "spec.backup.scratchSize", "backup: { target: { volume: { claimName: backups } }, scratchSize: 0 }" },
        { "spec.podTemplate.volumes backup-scratch", "podTemplate: { volumes: [{ name: backup-scratch }] }" },
        { "spec.podTemplate has a container named backup-agent", "podTemplate: { sidecars: [{ name: backup-agent }] }" },
        { "spec.tls.client.issuer has selfSigned and secretRefs", "tls: { client: { issuer: { selfSigned: {}, secretRefs: { member: { name: x } } } } }" },
        { "spec.backup.target.azure.container", "backup: { target: { azure: { container: a--b, credentialsSecret: { name: x } } } }" },
        { "spec.bootstrap.restore.from needs one of", "bootstrap: { restore: { from: {} } }" },
        { "spec.bootstrap.restore has time and revision", "bootstrap: { restore: { from: { volume: { claimName: backups } }, revision: 7, time: \"2026-11-27T20:34:00Z\" } }" },
        { "spec.bootstrap.restore.time", "bootstrap: { restore: { from: { volume: { claimName: backups } }, time: yesterday } }" },
        { "spec.bootstrap.restore.time", "bootstrap: { restore: { from: { volume: { claimName: backups } }, time: \"2026-02-31T20:34:00Z\" } }" },
        { "spec.bootstrap.restore.revision", "bootstrap: { restore: { from: { volume: { claimName: backups } }, revision: 0 } }" },
        { "spec.bootstrap.restore.clusterId", "bootstrap: { restore: { from: { volume: { claimName: backups } }, clusterId: Orders } }" },
        { "spec.bootstrap.restore has neither backup nor from", "bootstrap: { restore: { revision: 7 } }" },
        { "spec.bootstrap.restore has backup and from", "bootstrap: { restore: { backup: nightly, from: { volume: { claimName: backups } } } }" },
        { "spec.bootstrap.restore has clusterId beside backup", "bootstrap: { restore: { backup: nightly, clusterId: cafe } }" },
        { "spec.bootstrap.restore has encryptionKeySecret beside backup", "bootstrap: { restore: { backup: nightly, encryptionKeySecret: { name: x } } }" },
        { "spec.bootstrap.restore.backup", "bootstrap: { restore: { backup: Nightly } }" },
        { "spec.podTemplate has a container named restore", "podTemplate: { initContainers: [{ name: restore }] }" },
        { "spec.topology.hosts", "topology: { hosts: Maybe }" },
        { "spec.topology.zones.mode", "topology: { zones: { mode: Maybe } }" },
        { "spec.topology.zones.key", "topology: { zones: { key: \"\" } }" },
        { "spec.update.order", "update: { order: Random }" },
        { "spec.update.onFailure", "update: { onFailure: Panic }" },
        { "spec.update.soakSeconds", "update: { soakSeconds: -1 }" },
        { "spec.update.memberTimeoutSeconds", "update: { memberTimeoutSeconds: 5 }" },
        { "spec.healing.diskLostAfterSeconds", "healing: { diskLostAfterSeconds: -1 }" },
        { "spec.healing.nodeLostAfterSeconds", "healing: { nodeLostAfterSeconds: 1 }" },
        { "spec.services.client.type", "services: { client: { type: Pigeon } }" },
        { "spec.services.client.ipFamilyPolicy", "services: { client: { ipFamilyPolicy: Both } }" },
        { "spec.podTemplate.labels.storecluster.io/cluster", "podTemplate: { labels: { storecluster.io/cluster: other } }" },
        { "spec.podTemplate.annotations.storecluster.io/render", "podTemplate: { annotations: { storecluster.io/render: x } }" },
        { "spec.podTemplate.env ETCD_NAME", "podTemplate: { env: [{ name: ETCD_NAME, value: x }] }" },
        { "spec.podTemplate.volumes data", "podTemplate: { volumes: [{ name: data }] }" },
        { "spec.podTemplate", "podTemplate: { sidecars: [{ name: store }] }" },
        { "spec.podTemplate", "podTemplate: { initContainers: [{ image: x }] }" },
        { "spec.podTemplate.terminationGracePeriodSeconds", "podTemplate: { terminationGracePeriodSeconds: 0 }" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_spec_that_is_wrong_is_refused_with_the_field_and_the_reason(string field, string spec)
    {
        var error = SpecValidation.Check(Read(spec));
        Assert.NotNull(error);
        Assert.StartsWith(field, error, StringComparison.Ordinal);
        Assert.True(error.Length > field.Length + 10, error);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("server: { heartbeatIntervalMs: 300, electionTimeoutMs: 1500 }")]
    [InlineData("server: { quotaBytes: 6Gi }")]
    [InlineData("server: { autoCompaction: { mode: Revision, retention: \"1000\" } }")]
    [InlineData("podTemplate: { labels: { team: payments }, volumes: [{ name: scratch }] }")]
    public void A_spec_that_is_fine_is_accepted(string spec) => Assert.Null(SpecValidation.Check(Read(spec)));

    [Fact]
    public void The_order_of_added_labels_restarts_nobody()
    {
        Assert.Equal(Render("podTemplate: { labels: { a: x, b: y } }"), Render("podTemplate: { labels: { b: y, a: x } }"));
        Assert.NotEqual(Render("podTemplate: { labels: { a: x } }"), Render("podTemplate: { labels: { a: z } }"));
    }

    [Fact]
    public void An_option_of_the_store_restarts_members() => Assert.NotEqual(Render("{}"), Render("server: { maxTxnOps: 256 }"));

    [Fact]
    public void An_option_of_the_agent_restarts_members_and_what_the_operator_judges_backups_by_does_not()
    {
        const string plain = "backup: { target: { volume: { claimName: backups } } }";
        Assert.NotEqual(Render("{}"), Render(plain));
        Assert.NotEqual(Render(plain), Render("backup: { target: { volume: { claimName: backups } }, deltaInterval: 5s }"));
        Assert.Equal(Render(plain), Render("backup: { target: { volume: { claimName: backups } }, rpo: 1h }"));
    }

    [Fact]
    public void Going_without_scrape_annotations_restarts_members() => Assert.NotEqual(Render("{}"), Render("monitoring: { annotations: false }"));

    [Fact]
    public void What_only_the_operator_reads_restarts_nobody() =>
        Assert.Equal(Render("{}"), Render("paused: true\n  update: { soakSeconds: 60 }\n  healing: { enabled: false }\n  services: { client: { type: NodePort } }"));

    static string Render(string spec)
    {
        var member = new MemberName("orders", 1);
        var cluster = Read(spec);
        return MemberStatefulSet.Build(cluster, member, Ticket.Sealed(member, "shop"), "token", "store:1").Spec.Template.Metadata.Annotations[Annotations.Render];
    }

    static StoreCluster Read(string spec)
    {
        var cluster = Yaml.Read<StoreCluster>($"apiVersion: storecluster.io/v1alpha1\nkind: StoreCluster\nmetadata:\n  name: orders\nspec:{(spec == "{}" ? " {}" : "\n  " + spec)}\n");
        cluster.Metadata.NamespaceProperty = "shop";
        return cluster;
    }
}
