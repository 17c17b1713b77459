using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>Something that people do with a cluster, from the first wish to the rest after it.</summary>
/// <param name="Thinning">How many times fewer crash points are tried by default than of others: handshakes with certificates take their time.</param>
sealed record Scenario(string Name, Action<Simulation> Play, int Thinning = 1)
{
    public const string Cluster = "orders";

    /// <summary>The names of all, or of the one that SCENARIO names.</summary>
    public static IEnumerable<string> Played => Environment.GetEnvironmentVariable("SCENARIO") is { } one ? [one] : All.Select(scenario => scenario.Name);

    public static readonly IReadOnlyList<Scenario> All =
    [
        new("bootstrap", simulation => Want(simulation, 3)),
        new("scale", simulation =>
        {
            foreach (var replicas in new[] { 1, 3, 5, 3 }) Want(simulation, replicas);
        }),
        new("roll", simulation =>
        {
            Want(simulation, 3);
            Want(simulation, 3, "localhost/store:next");
        }),
        new("bad image", simulation =>
        {
            Want(simulation, 3);
            simulation.Kubernetes.MissingImages.Add("localhost/store:typo");
            simulation.Apply(Cluster, Spec(3, "localhost/store:typo"));
            simulation.Run(TimeSpan.FromMinutes(3));
            Want(simulation, 3);
        }),
        new("bad image, and another member's pod is deleted meanwhile", simulation =>
        {
            Want(simulation, 3);
            simulation.Kubernetes.MissingImages.Add("localhost/store:typo");
            simulation.Apply(Cluster, Spec(3, "localhost/store:typo"));
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status!.Members!.Any(member => member.Reason == PodVerdict.ImagePullFailed), TimeSpan.FromMinutes(2), () => simulation.Describe(Cluster));
            simulation.Run(TimeSpan.FromSeconds(10));
            var other = simulation.Cluster(Cluster).Status!.Members!.First(member => member.State == "Ready").Pod!;
            var before = simulation.Table.Get("pods", Simulation.Key(other))!["metadata"]!["uid"]!.ToString();
            simulation.Conduct.Disturbed();
            simulation.Delete("pods", other);
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status is { ReadyMembers: 2 } && simulation.Table.Get("pods", Simulation.Key(other))?["metadata"]!["uid"]!.ToString() is { } now && now != before,
                TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.Run(TimeSpan.FromMinutes(3));
            Assert.True(simulation.Store.Groups[0].HasQuorum, simulation.Describe(Cluster));
            Want(simulation, 3);
        }),
        new("bad first image", simulation =>
        {
            simulation.Kubernetes.MissingImages.Add("localhost/store:typo");
            simulation.Apply(Cluster, Spec(3, "localhost/store:typo"));
            simulation.Run(TimeSpan.FromMinutes(2));
            Want(simulation, 3);
        }),
        new("pods deleted", simulation =>
        {
            Want(simulation, 3);
            simulation.Delete("pods", "orders-2-0");
            simulation.Run(TimeSpan.FromSeconds(20));
            simulation.RunUntilSettled(Cluster);
        }),
        new("rolled back", simulation =>
        {
            Want(simulation, 3, change: RollingBack);
            simulation.Kubernetes.MissingImages.Add("localhost/store:typo");
            simulation.Apply(Cluster, RollingBack(Spec(3, "localhost/store:typo")));
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status is { Phase: "RolledBack", ReadyMembers: 3 }, TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
        }),
        new("lost disk", simulation =>
        {
            Want(simulation, 3);
            simulation.Delete("persistentvolumeclaims", "data-orders-2-0");
            simulation.Delete("pods", "orders-2-0");
            simulation.RunUntil(() => simulation.Has("orders-4"), TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
        }),
        new("lost node", simulation =>
        {
            Want(simulation, 3);
            simulation.Kubernetes.KillNode(SimulatedKubernetes.NodeOf(simulation.Table.Get("pods", Simulation.Key("orders-2-0"))!));
            simulation.RunUntil(() => simulation.Has("orders-4"), TimeSpan.FromMinutes(10), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
        }),
        new("lost leader's disk while it scales", simulation =>
        {
            Want(simulation, 3);
            simulation.Apply(Cluster, Spec(5));
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status?.Operation is not null, TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.Delete("persistentvolumeclaims", "data-orders-1-0");
            simulation.Delete("pods", "orders-1-0");
            simulation.RunUntil(() => simulation.Has("orders-6"), TimeSpan.FromMinutes(10), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
        }),
        new("authentication with a Secret that comes late and changes, and off again", simulation =>
        {
            simulation.Apply(Cluster, Asking(Spec(1)));
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status is { ReadyMembers: 1, Operation: null }, TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
            simulation.Secret("root", "first");
            simulation.RunUntilSettled(Cluster);
            simulation.Secret("root", "second");
            simulation.RunUntil(() => simulation.Store.Groups[0].Users.Users["root"].Password == "second", TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
            Want(simulation, 1);
        }),
        new("lost disk under authentication", simulation =>
        {
            simulation.Secret("root", "first");
            Want(simulation, 3, change: Asking);
            simulation.Delete("persistentvolumeclaims", "data-orders-2-0");
            simulation.Delete("pods", "orders-2-0");
            simulation.RunUntil(() => simulation.Has("orders-4"), TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
        }),
        new("authorities replaced", simulation =>
        {
            Want(simulation, 3, change: Encrypted);
            simulation.Apply(Cluster, Encrypted(Spec(3)) with { Tls = Encrypted(Spec(3)).Tls! with { Rotate = "2026-11-27" } });
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status?.Tls is { Client: { Rotated: "2026-11-27", Rotation: null }, Peer: { Rotated: "2026-11-27", Rotation: null } },
                TimeSpan.FromMinutes(20), () => simulation.Describe(Cluster));
            simulation.RunUntilSettled(Cluster);
            RunUntilLoaded(simulation);
        }),
        new("backups turned on, moved elsewhere, and off again", simulation =>
        {
            simulation.Store.Backups.Buckets.Add("first");
            simulation.Store.Backups.Buckets.Add("second");
            foreach (var bucket in new[] { "first", "second" })
            {
                simulation.Apply(Cluster, BackedUp(Spec(1), bucket));
                simulation.RunUntil(() => simulation.IsSettled(Cluster) && simulation.Says(Cluster, ConditionTypes.BackupReady, "True")
                    && simulation.Cluster(Cluster).Status!.Backup!.Location == $"s3://{bucket}/", TimeSpan.FromMinutes(10), () => simulation.Describe(Cluster));
            }

            Want(simulation, 1);
        }),
        new("certificates of people that come late and are renewed", simulation =>
        {
            var authority = ForeignAuthority.Root(simulation.Now.UtcDateTime);
            void Sign() => simulation.Secret("corporate", authority.Secret("corporate", simulation.Now.UtcDateTime, "*.orders-peers.shop.svc").Data);
            simulation.Apply(Cluster, SignedBy(Spec(3), new IssuerSpec { SecretRefs = new SecretRefsSpec { Member = new LocalReference { Name = "corporate" } } }));
            simulation.Run(TimeSpan.FromSeconds(30));
            Sign();
            simulation.RunUntilSettled(Cluster);
            RunUntilLoaded(simulation);
            simulation.Run(TimeSpan.FromMinutes(1));
            Sign();
            simulation.Run(TimeSpan.FromSeconds(15));
            RunUntilLoaded(simulation);
        }, Thinning: 3),
        new("certificates of cert-manager, which comes late, signs other names, renews, and loses a member", simulation =>
        {
            StoreClusterSpec Managed(int replicas, params string[] names) => SignedBy(Spec(replicas), new IssuerSpec { CertManager = new CertManagerSpec { IssuerRef = new CertManagerIssuer { Name = "corporate" } } }, names);
            simulation.Apply(Cluster, Managed(3));
            simulation.Run(TimeSpan.FromSeconds(30));
            simulation.InstallCertManager();
            simulation.RunUntilSettled(Cluster);
            RunUntilLoaded(simulation);
            simulation.Apply(Cluster, Managed(3, "store.example"));
            simulation.RunUntilSettled(Cluster);
            RunUntilLoaded(simulation);
            simulation.CertManager!.RenewAll();
            simulation.Run(TimeSpan.FromSeconds(15));
            RunUntilLoaded(simulation);
            simulation.Apply(Cluster, Managed(1, "store.example"));
            simulation.RunUntilSettled(Cluster);
            simulation.RunUntil(() => simulation.Table.List("secrets").Count == 4, TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
        }, Thinning: 6),
        new("restored from a bucket that is missing first", simulation =>
        {
            simulation.ApplyBackedUp(Cluster, Spec(1));
            simulation.Delete("storeclusters", Cluster);
            simulation.Run(TimeSpan.FromSeconds(30));
            simulation.Store.Backups.Buckets.Clear();
            simulation.Apply(Cluster, Restored(Spec(1), "backups"));
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status?.Conditions?.Any(condition => condition.Reason == PodVerdict.RestoreFailed) == true, TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.Store.Backups.Buckets.Add("backups");
            simulation.RunUntilSettled(Cluster);
            Assert.Equal([null, "s3://backups"], simulation.Store.Groups.Select(group => group.RestoredFrom));
        }),
        new("restored by the name of a StoreBackup that comes late, of a cluster that is gone", simulation =>
        {
            const string source = "source", late = "late";
            simulation.ApplyBackedUp(source, Spec(1));
            simulation.Apply(Cluster, Spec(1) with { Bootstrap = new BootstrapSpec { Restore = new RestoreSpec { Backup = late, Time = "2026-11-23T10:01:00Z" } } });
            simulation.RunUntil(() => simulation.Says(Cluster, ConditionTypes.Restored, "False"), TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.Backup(late, source);
            simulation.RunUntil(() => simulation.Cluster(Cluster).Status?.Restore is not null, TimeSpan.FromMinutes(1), () => simulation.Describe(Cluster));
            simulation.Delete("storebackups", late);
            simulation.Delete("storeclusters", source);
            simulation.RunUntilSettled(Cluster);
            Assert.Equal([null, "s3://backups"], simulation.Store.Groups.Select(group => group.RestoredFrom));
        }),
        new("taken back in place, over volumes that stay until it has formed", simulation =>
        {
            simulation.Store.Backups.Buckets.Add("backups");
            simulation.Apply(Cluster, BackedUp(Spec(3), "backups"));
            simulation.RunUntilBackedUp(Cluster, minutes: 10);
            simulation.Restore("back", new StoreRestoreSpec { Cluster = Cluster });
            simulation.RunUntilRestore("back", StoreRestoreStatus.AwaitingConfirmation);
            simulation.Confirm("back", "orders@epoch=1");
            simulation.RunUntilRestore("back", StoreRestoreStatus.Succeeded);
            simulation.RunUntilBackedUp(Cluster, minutes: 10);
            Assert.Equal([null, "s3://backups"], simulation.Store.Groups.Select(group => group.RestoredFrom));
            Assert.Equal(["data-orders-4-0", "data-orders-5-0", "data-orders-6-0"], simulation.Table.List("persistentvolumeclaims").Select(claim => ObjectTable.KeyOf(claim).Name));
        }),
        new("taken back from a bucket that is gone, given up, and from another one instead, twice", simulation =>
        {
            simulation.Store.Backups.Buckets.Add("first");
            simulation.Store.Backups.Buckets.Add("second");
            foreach (var bucket in new[] { "first", "second" })
            {
                simulation.Apply(Cluster, BackedUp(Spec(1), bucket));
                simulation.RunUntilBackedUp(Cluster, minutes: 10);
            }

            void Back(string name, string bucket, int epoch) => simulation.Restore(name, new StoreRestoreSpec
            {
                Cluster = Cluster,
                From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = bucket } },
                Confirm = $"orders@epoch={epoch}",
            });
            simulation.Store.Backups.Buckets.Remove("first");
            Back("from-first", "first", epoch: 1);
            simulation.RunUntil(() => simulation.Restore("from-first").Status?.Message?.Contains("volumes of orders-1 are untouched", StringComparison.Ordinal) == true, TimeSpan.FromMinutes(3), () => $"{simulation.Restore("from-first").Status}");
            Back("from-second", "second", epoch: 2);
            simulation.RunUntil(() => simulation.Restore("from-second").Status?.Message?.Contains("from-first of StoreCluster orders is under way", StringComparison.Ordinal) == true, TimeSpan.FromMinutes(1), () => $"{simulation.Restore("from-second").Status}");
            simulation.Delete("storerestores", "from-first");
            simulation.RunUntilRestore("from-second", StoreRestoreStatus.Succeeded);
            simulation.RunUntilBackedUp(Cluster, minutes: 10);
            Back("again", "second", epoch: 3);
            simulation.RunUntilRestore("again", StoreRestoreStatus.Succeeded);
            simulation.RunUntilBackedUp(Cluster, minutes: 10);
            Assert.Equal([null, "s3://second", "s3://second"], simulation.Store.Groups.Select(group => group.RestoredFrom));
            Assert.Single(simulation.Table.List("persistentvolumeclaims"));
        }),
        new("deleted and made anew at once, while the former members still answer", simulation =>
        {
            Want(simulation, 3);
            simulation.Delete("storeclusters", Cluster);
            simulation.Conduct.Ended();
            Want(simulation, 3);
            Assert.Equal(2, simulation.Store.Groups.Count);
        }, Thinning: 12),
        new("delete", simulation =>
        {
            Want(simulation, 3, change: spec => spec with { Storage = new StorageSpec { Retention = new RetentionSpec { OnDelete = RetentionSpec.Delete } } });
            simulation.Delete("storeclusters", Cluster);
            simulation.Run(TimeSpan.FromSeconds(30));
        }),
        new("delete and keep volumes", simulation =>
        {
            Want(simulation, 3);
            simulation.Delete("storeclusters", Cluster);
            simulation.Run(TimeSpan.FromSeconds(30));
        }),
    ];

    public static Scenario Of(string name) => All.Single(scenario => scenario.Name == name);

    public static StoreClusterSpec Spec(int replicas, string? image = null)
    {
        var parts = image?.Split(':');
        return new StoreClusterSpec { Replicas = replicas, Image = new ImageSpec { Repository = parts?[0], Tag = parts?[1] } };
    }

    public static StoreClusterSpec Asking(StoreClusterSpec spec) => spec with { Auth = new AuthSpec { Enabled = true, RootSecret = new SecretKeyReference { Name = "root" } } };

    /// <summary>Everything over TLS, with certificates of the operator's own.</summary>
    public static StoreClusterSpec Encrypted(StoreClusterSpec spec) => spec with { Tls = new TlsSpec { Client = new ClientTlsSpec(), Peer = new PeerTlsSpec(), OverlapSeconds = 20 } };

    /// <summary>With an rpo so long that status need not follow the recoverable moment.</summary>
    public static StoreClusterSpec BackedUp(StoreClusterSpec spec, string bucket) =>
        spec with { Backup = new BackupSpec { Target = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = bucket } }, Rpo = "12h" } };

    /// <summary>Everything over TLS, with certificates of somebody else's.</summary>
    static StoreClusterSpec SignedBy(StoreClusterSpec spec, IssuerSpec issuer, params string[] names) =>
        spec with { Tls = new TlsSpec { Client = new ClientTlsSpec { Issuer = issuer }, Peer = new PeerTlsSpec { Issuer = issuer }, ExtraSans = names.Length > 0 ? names : null } };

    /// <summary>Every member was seen to show what its Secret holds.</summary>
    static void RunUntilLoaded(Simulation simulation)
    {
        simulation.RunUntil(() => simulation.Cluster(Cluster).Status!.Tls!.Certificates!.All(certificate => certificate.Loaded != false), TimeSpan.FromMinutes(5), () => simulation.Describe(Cluster));
        simulation.RunUntilSettled(Cluster);
    }

    public static StoreClusterSpec Restored(StoreClusterSpec spec, string bucket) =>
        spec with { Bootstrap = new BootstrapSpec { Restore = new RestoreSpec { From = new BackupTargetSpec { S3 = new S3TargetSpec { Bucket = bucket } } } } };

    static StoreClusterSpec RollingBack(StoreClusterSpec spec) => spec with { Update = spec.Update with { OnFailure = UpdateSpec.Rollback, MemberTimeoutSeconds = 30 } };

    static void Want(Simulation simulation, int replicas, string? image = null, Func<StoreClusterSpec, StoreClusterSpec>? change = null)
    {
        var spec = Spec(replicas, image);
        simulation.Apply(Cluster, change is null ? spec : change(spec));
        simulation.RunUntilSettled(Cluster);
    }
}
