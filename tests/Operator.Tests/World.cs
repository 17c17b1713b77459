using k8s.Models;
using Operator.Core;

namespace Operator.Tests;

/// <summary>A cluster in any state that a test wants to ask the planner about: members are made whole and then broken one thing at a time.</summary>
internal sealed class World
{
    public const string Namespace = "shop";
    public const string Image = "localhost/store:dev";
    public static readonly DateTime Now = new(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc);

    private readonly Dictionary<int, MemberBuilder> _members = [];
    private StoreClusterSpec _spec = new();
    private StoreClusterStatus? _status;
    private bool _quorum = true;
    private string _name = "orders";
    private bool _deleting;
    private readonly List<V1Service> _extraServices = [];
    private readonly List<V1PersistentVolumeClaim> _extraClaims = [];
    private bool _services = true;
    private string _image = Image;
    private readonly List<Complaint> _complaints = [];
    private readonly List<V1Secret> _secrets = [];
    private readonly Dictionary<(MemberName, TlsSide), Handshake> _handshakes = [];
    private readonly Dictionary<MemberName, AgentReport> _agents = [];
    private readonly Dictionary<string, V1Secret> _given = [];
    private string? _secretsRefused;
    private StoreBackup? _restoreBackup;

    public World Spec(Func<StoreClusterSpec, StoreClusterSpec> change) => With(() => _spec = change(_spec));

    public World Status(Func<StoreClusterStatus, StoreClusterStatus> change) => With(() => _status = change(_status ?? new StoreClusterStatus()));

    public World Agent(int member, AgentReport report) => With(() => _agents[new MemberName(_name, member)] = report);

    /// <summary>The one that spec.bootstrap.restore names.</summary>
    public World RestoreBackup(StoreBackup? backup) => With(() => _restoreBackup = backup);

    public World NoStatus() => With(() => _status = null);

    public World Named(string name) => With(() => _name = name);

    public World Deleting() => With(() => _deleting = true);

    public World NoQuorum() => With(() => _quorum = false);

    public World NoServices() => With(() => _services = false);

    public World DefaultImage(string image) => With(() => _image = image);

    public World Secret(V1Secret secret) => With(() => _secrets.Add(secret));

    /// <summary>One that somebody else keeps, and that the spec names.</summary>
    public World Given(V1Secret secret) => With(() => _given[secret.Metadata.Name] = secret);

    public World SecretsRefused(string why) => With(() => _secretsRefused = why);

    public World Handshake(int member, TlsSide side, Handshake handshake) => With(() => _handshakes[(new MemberName(_name, member), side)] = handshake);

    public World Service(V1Service service) => With(() => _extraServices.Add(service));

    public World Claim(string name) => With(() => _extraClaims.Add(new V1PersistentVolumeClaim { Metadata = new V1ObjectMeta { Name = name, Uid = name } }));

    /// <param name="uid">set-1, pod-1 or claim-1 of member 1.</param>
    public World Complaint(string uid, string reason, string message) => With(() => _complaints.Add(new Complaint("", "", uid, reason, message)));

    /// <summary>Token given, nothing else: what a cluster is between its first and second pass.</summary>
    public World Named() => Status(status => status with { ClusterToken = "token", MemberHighWater = status.MemberHighWater });

    /// <summary>Members 1..n serve, the first leads, all are sealed, as after an undisturbed start.</summary>
    public World Formed(int members)
    {
        _spec = _spec with { Replicas = members };
        Status(status => status with { ClusterToken = "token", ClusterId = "cafe", FormedAt = Now.AddHours(-1), MemberHighWater = members });
        for (var number = 1; number <= members; number++) Member(number);
        return this;
    }

    public World Member(int number, Action<MemberBuilder>? change = null)
    {
        if (!_members.TryGetValue(number, out var member)) _members[number] = member = new MemberBuilder(number);
        change?.Invoke(member);
        return this;
    }

    public World Operation(string kind, int member) => Status(status => status with
    {
        Operation = Operations.Start(kind, new MemberName(_name, member), Now),
        MemberHighWater = Math.Max(status.MemberHighWater ?? 0, member),
    });

    public StoreCluster Cluster() => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = _name,
            NamespaceProperty = Namespace,
            Uid = "uid-1",
            Generation = 4,
            DeletionTimestamp = _deleting ? Now : null,
        },
        Spec = _spec,
        Status = _status,
    };

    public ClusterView View()
    {
        var cluster = Cluster();
        var listed = _members.Values.Where(member => member.IsListed).Select(member => member.Listed(_name)).ToList();
        var membership = _quorum && listed.Count > 0 ? new Membership("cafe", listed) : null;
        var token = _status?.ClusterToken ?? "token";
        return new ClusterView
        {
            Cluster = cluster,
            ObservedAt = Now,
            DefaultImage = _image,
            Services = [.. _services ? [PeerService.Build(cluster), ClientService.Build(cluster)] : Array.Empty<V1Service>(), .. _extraServices],
            Budgets = _status?.FormedAt is null ? [] : [DisruptionBudget.Build(cluster, _members.Values.Count(member => member is { IsListed: true, IsLearner: false, IsStarted: true }))],
            StatefulSets = [.. _members.Values.Where(member => member.HasSet).Select(member => member.Set(cluster, membership, token, _image))],
            Pods = [.. _members.Values.Where(member => member.HasPod).Select(member => member.Pod(cluster, membership, token, _image))],
            Claims = [.. _members.Values.Where(member => member.HasClaim).Select(member => member.Claim(cluster)), .. _extraClaims],
            Complaints = _complaints,
            Secrets = _secrets,
            Given = _given,
            SecretsRefused = _secretsRefused,
            Handshakes = _handshakes,
            Agents = _agents,
            RestoreBackup = _restoreBackup,
            Membership = membership,
            Reports = _members.Values.Where(member => member.Answers).ToDictionary(member => new MemberName(_name, member.Number), member => member.Report()),
        };
    }

    public Plan Plan() => Planner.Decide(Diagnosis.Of(View()));

    private World With(Action change)
    {
        change();
        return this;
    }
}
