using System.Globalization;
using System.Text;

namespace Operator.Tests;

/// <summary>What a volume holds: nothing, or one member's data.</summary>
sealed class Disk
{
    public StoreGroup? Group { get; set; }
    public ulong MemberId { get; set; }
    public ulong Applied { get; set; }
}

/// <summary>A store process that runs in a pod.</summary>
sealed record StoreProcess(string Ip, string Name, StoreGroup Group, ulong MemberId, Disk Disk)
{
    /// <summary>Its certificates as files, which it reads at every handshake; null in clear.</summary>
    public MountedSecrets? Certificates { get; init; }

    /// <summary>The flags of the backup agent beside it; null where there is none.</summary>
    public IReadOnlyDictionary<string, string>? Agent { get; init; }
}

sealed class GroupMember
{
    public required ulong Id { get; init; }
    public required string PeerUrl { get; init; }
    public string Name { get; set; } = "";
    public bool Learner { get; set; }
    public StoreProcess? Process { get; set; }
    public bool Started => Name.Length > 0;
}

/// <summary>One cluster of the store, seen from above: its members, its log's end and who leads.</summary>
sealed class StoreGroup(string token, ulong id, TimeProvider time)
{
    public string Token { get; } = token;
    public ulong Id { get; } = id;
    public List<GroupMember> Members { get; } = [];
    public SimulatedUsers Users { get; } = new(time);
    public ulong Committed { get; set; } = 5000;

    /// <summary>What its revisions were raised by when it began with a backup.</summary>
    public ulong Raised { get; init; }

    public long Revision => (long)(Raised + Committed);

    /// <summary>Where the backup was that it began with; null when it began empty.</summary>
    public string? RestoredFrom { get; init; }

    /// <summary>Its StoreCluster was deleted: what is left of it is nobody's, and another one of the name begins again at revision 1.</summary>
    public bool Ended { get; set; }

    public ulong Term { get; set; } = 1;
    public GroupMember? Leader { get; set; }
    public DateTimeOffset? ElectionAt { get; set; }

    public GroupMember? Find(ulong member) => Members.FirstOrDefault(other => other.Id == member);

    public IEnumerable<GroupMember> Voters => Members.Where(member => !member.Learner);

    public bool HasQuorum => Voters.Count(member => member.Process is not null) > Voters.Count() / 2;
}

/// <summary>The store's members at the level that an operator can tell apart: how a process starts from its flags and its disk, who may vote, elections that
/// take a while, learners that catch up. Clients write all the time; an acknowledged write that no possible leader holds is a violation.</summary>
sealed class SimulatedStore(TimeProvider time, Random? chance)
{
    const ulong WritesPerTick = 20;
    const ulong CatchUpPerTick = 2000;
    static readonly TimeSpan Election = TimeSpan.FromSeconds(1.2);

    readonly List<StoreGroup> groups = [];
    readonly Dictionary<string, Disk> disks = new(StringComparer.Ordinal);
    readonly Dictionary<string, StoreProcess> processes = new(StringComparer.Ordinal);

    public IReadOnlyList<StoreGroup> Groups => groups;

    public SimulatedBackups Backups { get; } = new(time);

    /// <summary>Broken promises: none may ever be in here.</summary>
    public List<string> Violations { get; } = [];

    public IEnumerable<StoreProcess> Processes => processes.Values;

    public StoreProcess? At(string ip) => processes.GetValueOrDefault(ip);

    public Disk DiskOf(string claimUid) => disks.TryGetValue(claimUid, out var disk) ? disk : disks[claimUid] = new Disk();

    /// <returns>The running process, or its last words.</returns>
    public (StoreProcess? Process, string? Exit) Start(
        string ip, string claimUid, IReadOnlyDictionary<string, string> flags, MountedSecrets? certificates = null, IReadOnlyDictionary<string, string>? agent = null, IReadOnlyDictionary<string, string>? restore = null)
    {
        var disk = DiskOf(claimUid);
        var name = flags["name"];
        if (disk.Group is null && Enter(disk, flags, restore) is { } refusal) return (null, refusal);
        if (disk.Group!.Find(disk.MemberId) is not { } member) return (null, "the member has been permanently removed from the cluster");
        member.Name = name;
        var process = new StoreProcess(ip, name, disk.Group, disk.MemberId, disk) { Certificates = certificates, Agent = agent };
        member.Process = process;
        processes[ip] = process;
        return (process, null);
    }

    public void Stop(StoreProcess process)
    {
        processes.Remove(process.Ip);
        if (process.Group.Find(process.MemberId) is { } member && member.Process == process) member.Process = null;
    }

    public bool Ready(StoreProcess process) => process.Group.Leader is not null && process.Group.Find(process.MemberId) is not null;

    public void Tick()
    {
        foreach (var group in groups)
        {
            Elect(group);
            if (group.Leader is null) continue;
            group.Committed += WritesPerTick;
            foreach (var member in group.Members.Where(member => member.Process is not null))
            {
                var disk = member.Process!.Disk;
                disk.Applied = member.Learner ? Math.Min(group.Committed, disk.Applied + CatchUpPerTick) : group.Committed;
            }
        }
    }

    public ulong NewMemberId(StoreGroup? group, string peerUrl, string token) => Hash($"{token} {peerUrl} {group?.Committed}");

    /// <summary>What an empty disk may become, from the flags alone.</summary>
    string? Enter(Disk disk, IReadOnlyDictionary<string, string> flags, IReadOnlyDictionary<string, string>? restore)
    {
        var (token, own) = (flags["initial-cluster-token"], flags["initial-advertise-peer-urls"]);
        var initial = flags["initial-cluster"].Split(',').Select(entry => entry.Split('=', 2)[1]).ToList();
        return flags["initial-cluster-state"] == "new" ? Form(disk, token, initial, restore) : Join(disk, token, own, initial);
    }

    string? Form(Disk disk, string token, List<string> initial, IReadOnlyDictionary<string, string>? restore)
    {
        if (groups.Any(group => group.Token == token)) Violations.Add($"a second cluster was formed with the token {token}");
        var group = new StoreGroup(token, Hash(token), time) { RestoredFrom = restore?["from"], Raised = RaisedBy(restore) };
        if (restore is not null && groups.FirstOrDefault(other => !other.Ended && other.Revision >= group.Revision) is { } ahead) Violations.Add($"revision {group.Revision} was given out by {ahead.Token} before");
        group.Members.AddRange(initial.Select(url => new GroupMember { Id = NewMemberId(null, url, token), PeerUrl = url }));
        groups.Add(group);
        (disk.Group, disk.MemberId, disk.Applied) = (group, group.Members[0].Id, group.Committed);
        return null;
    }

    /// <summary>As `store snapshot restore` does: above what was given out before, as far as it is told.</summary>
    static ulong RaisedBy(IReadOnlyDictionary<string, string>? restore) =>
        restore is null ? 0 : 1_000_000_000 + (restore.TryGetValue("above-revision", out var above) ? ulong.Parse(above, CultureInfo.InvariantCulture) : 0);

    string? Join(Disk disk, string token, string own, List<string> initial)
    {
        if (initial.All(url => url == own)) return "store: its disk is empty, and there is nobody to join";
        var group = groups.LastOrDefault(group => group.Token == token && group.Leader is not null);
        if (group is null) return "cannot fetch cluster info from peer urls: no member answers";
        if (group.Members.FirstOrDefault(member => member.PeerUrl == own) is not { } member) return "couldn't find local name in the initial cluster configuration";
        if (group.Members.Count != initial.Count) return "error validating peerURLs: member count is unequal";
        if (member.Started) Violations.Add($"{own} joined a second time under its old id, with an empty log");
        (disk.Group, disk.MemberId, disk.Applied) = (group, member.Id, 0);
        return null;
    }

    void Elect(StoreGroup group)
    {
        if (group.Leader is { Process: not null, Learner: false } && group.Members.Contains(group.Leader) && group.HasQuorum)
        {
            group.ElectionAt = null;
            return;
        }

        group.Leader = null;
        if (!group.HasQuorum)
        {
            group.ElectionAt = null;
            return;
        }

        var now = time.GetUtcNow();
        group.ElectionAt ??= now + Election;
        if (now < group.ElectionAt) return;
        Win(group);
    }

    void Win(StoreGroup group)
    {
        var running = group.Voters.Where(member => member.Process is not null).OrderBy(member => member.PeerUrl, StringComparer.Ordinal).ToList();
        var best = running.Max(member => member.Process!.Disk.Applied);
        if (best < group.Committed) Violations.Add($"writes {best + 1} to {group.Committed} were acknowledged, and a majority without them elects a leader");
        var able = running.Where(member => member.Process!.Disk.Applied == best).ToList();
        group.Leader = able[chance?.Next(able.Count) ?? 0];
        group.Term++;
        group.ElectionAt = null;
    }

    static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var part in Encoding.UTF8.GetBytes(text)) hash = (hash ^ part) * 1099511628211UL;
        return hash;
    }

    public static Dictionary<string, string> Flags(IEnumerable<string> arguments) => arguments
        .Select(argument => argument.TrimStart('-').Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "true", StringComparer.Ordinal);
}
