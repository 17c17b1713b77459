using k8s.Models;
using Operator.Core;

namespace Operator.Tests;

/// <summary>A cluster in any state that a test wants to ask the planner about: members are made whole and then broken one thing at a time.</summary>
sealed class World
{
    public const string Namespace = "shop";
    public const string Image = "localhost/store:dev";
    public static readonly DateTime Now = new(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc);

    readonly Dictionary<int, MemberBuilder> members = [];
    StoreClusterSpec spec = new();
    StoreClusterStatus? status;
    bool quorum = true;
    string name = "orders";
    bool deleting;
    readonly List<V1Service> extraServices = [];
    readonly List<V1PersistentVolumeClaim> extraClaims = [];
    bool services = true;
    string image = Image;
    readonly List<Complaint> complaints = [];
    readonly List<V1Secret> secrets = [];
    readonly Dictionary<(MemberName, TlsSide), Handshake> handshakes = [];
    readonly Dictionary<MemberName, AgentReport> agents = [];
    readonly Dictionary<string, V1Secret> given = [];
    string? secretsRefused;
    StoreBackup? restoreBackup;
    StoreRestore? approved;

    public World Spec(Func<StoreClusterSpec, StoreClusterSpec> change) => With(() => spec = change(spec));

    public World Status(Func<StoreClusterStatus, StoreClusterStatus> change) => With(() => status = change(status ?? new StoreClusterStatus()));

    public World Agent(int member, AgentReport report) => With(() => agents[new MemberName(name, member)] = report);

    /// <summary>The one that spec.bootstrap.restore names.</summary>
    public World RestoreBackup(StoreBackup? backup) => With(() => restoreBackup = backup);

    public World Approved(StoreRestore? restore) => With(() => approved = restore);

    public World NoStatus() => With(() => status = null);

    public World Named(string name) => With(() => this.name = name);

    public World Deleting() => With(() => deleting = true);

    public World NoQuorum() => With(() => quorum = false);

    public World NoServices() => With(() => services = false);

    public World DefaultImage(string image) => With(() => this.image = image);

    public World Secret(V1Secret secret) => With(() => secrets.Add(secret));

    /// <summary>One that somebody else keeps, and that the spec names.</summary>
    public World Given(V1Secret secret) => With(() => given[secret.Metadata.Name] = secret);

    public World SecretsRefused(string why) => With(() => secretsRefused = why);

    public World Handshake(int member, TlsSide side, Handshake handshake) => With(() => handshakes[(new MemberName(name, member), side)] = handshake);

    public World Service(V1Service service) => With(() => extraServices.Add(service));

    public World Claim(string name) => With(() => extraClaims.Add(new V1PersistentVolumeClaim { Metadata = new V1ObjectMeta { Name = name, Uid = name } }));

    /// <param name="uid">set-1, pod-1 or claim-1 of member 1.</param>
    public World Complaint(string uid, string reason, string message) => With(() => complaints.Add(new Complaint("", "", uid, reason, message)));

    /// <summary>Token given, nothing else: what a cluster is between its first and second pass.</summary>
    public World Named() => Status(status => status with { ClusterToken = "token", MemberHighWater = status.MemberHighWater });

    /// <summary>Members 1..n serve, the first leads, all are sealed, as after an undisturbed start.</summary>
    public World Formed(int members)
    {
        spec = spec with { Replicas = members };
        Status(status => status with { ClusterToken = "token", ClusterId = "cafe", FormedAt = Now.AddHours(-1), MemberHighWater = members });
        for (var number = 1; number <= members; number++) Member(number);
        return this;
    }

    public World Member(int number, Action<MemberBuilder>? change = null)
    {
        if (!members.TryGetValue(number, out var member)) members[number] = member = new MemberBuilder(number);
        change?.Invoke(member);
        return this;
    }

    public World Operation(string kind, int member) => Status(status => status with
    {
        Operation = Operations.Start(kind, new MemberName(name, member), Now),
        MemberHighWater = Math.Max(status.MemberHighWater ?? 0, member),
    });

    public StoreCluster Cluster() => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            NamespaceProperty = Namespace,
            Uid = "uid-1",
            Generation = 4,
            DeletionTimestamp = deleting ? Now : null,
        },
        Spec = spec,
        Status = status,
    };

    public ClusterView View()
    {
        var cluster = Cluster();
        var listed = members.Values.Where(member => member.IsListed).Select(member => member.Listed(name)).ToList();
        var membership = quorum && listed.Count > 0 ? new Membership("cafe", listed) : null;
        var token = status?.ClusterToken ?? "token";
        return new ClusterView
        {
            Cluster = cluster,
            ObservedAt = Now,
            DefaultImage = image,
            Services = [.. services ? [PeerService.Build(cluster), ClientService.Build(cluster)] : Array.Empty<V1Service>(), .. extraServices],
            Budgets = status?.FormedAt is null ? [] : [DisruptionBudget.Build(cluster, members.Values.Count(member => member is { IsListed: true, IsLearner: false, IsStarted: true }))],
            StatefulSets = [.. members.Values.Where(member => member.HasSet).Select(member => member.Set(cluster, membership, token, image))],
            Pods = [.. members.Values.Where(member => member.HasPod).Select(member => member.Pod(cluster, membership, token, image))],
            Claims = [.. members.Values.Where(member => member.HasClaim).Select(member => member.Claim(cluster)), .. extraClaims],
            Complaints = complaints,
            Secrets = secrets,
            Given = given,
            SecretsRefused = secretsRefused,
            Handshakes = handshakes,
            Agents = agents,
            RestoreBackup = restoreBackup,
            Approved = approved,
            Membership = membership,
            Reports = members.Values.Where(member => member.Answers).ToDictionary(member => new MemberName(name, member.Number), member => member.Report()),
        };
    }

    public Plan Plan() => Planner.Decide(Diagnosis.Of(View()));

    World With(Action change)
    {
        change();
        return this;
    }
}
