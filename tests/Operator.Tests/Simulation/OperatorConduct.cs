using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>Watches what operators' writes do to the store: none may take the quorum from a cluster that had one, and no volume goes before its member and its pod. A cluster that a StoreRestore
/// has given up, as its status says, is nobody's any more; but its volumes stay until another one has formed.</summary>
sealed class OperatorConduct(Simulation simulation, TimeProvider time)
{
    /// <summary>How long an operator may not yet know of what befell a member.</summary>
    static readonly TimeSpan Unaware = TimeSpan.FromSeconds(20);

    DateTimeOffset disturbed = DateTimeOffset.MinValue;

    public List<string> Violations { get; } = [];

    /// <summary>Somebody else than the operator has just hurt a member.</summary>
    public void Disturbed() => disturbed = time.GetUtcNow();

    /// <summary>Whether somebody has just put something wrong into the Secret that members mount.</summary>
    public bool WouldNotServe { get; set; }

    /// <summary>The StoreCluster was deleted: whatever is left of its store is nobody's.</summary>
    public void Ended()
    {
        foreach (var group in simulation.Store.Groups) group.Ended = true;
    }

    /// <summary>Those that somebody uses.</summary>
    public IEnumerable<StoreGroup> Used => simulation.Store.Groups.Where(group => !GivenUp(group));

    /// <summary>For <see cref="WriteLog.Watcher"/>.</summary>
    public Action Watch(string what)
    {
        if (what.StartsWith("DELETE persistentvolumeclaims/", StringComparison.Ordinal)) Volume(what);
        if (what.StartsWith("DELETE pods/", StringComparison.Ordinal) && WouldNotServe) Restart(what["DELETE pods/".Length..]);
        var before = Used.ToDictionary(group => group, group => (Serving: Serving(group), Voters: group.Voters.Count()));
        return () =>
        {
            foreach (var (group, was) in before)
            {
                var (serving, voters) = (Serving(group), group.Voters.Count());
                if (was.Voters > 1 && was.Serving > was.Voters / 2 && serving <= voters / 2 && time.GetUtcNow() - disturbed > Unaware)
                    Violations.Add($"{what} takes the quorum: {was.Serving} of {was.Voters} voters served before, {serving} of {voters} do after");
            }
        };
    }

    /// <summary>Members of one epoch alone run at a time.</summary>
    public void Look()
    {
        if (simulation.Store.Groups.Count < 2) return;
        var running = simulation.Store.Groups.Where(group => !group.Ended).Select(group => group.Members.Where(IsRunning).Select(member => member.Name).ToList()).Where(names => names.Count > 0).ToList();
        if (running.Count > 1) Violations.Add($"members of {running.Count} epochs run: {string.Join(" and ", running.Select(names => string.Join(", ", names)))}");
    }

    static bool IsRunning(GroupMember member) => member.Process is not null && member.Name.StartsWith($"{Scenario.Cluster}-", StringComparison.Ordinal);

    /// <summary>One that serves, while what it would come back with is wrong.</summary>
    void Restart(string pod)
    {
        if (Used.Any(group => group.Members.Any(member => $"{member.Name}-0" == pod && member.Process?.Certificates?.Mounts(CertificateKeepers.Name) == true))) Violations.Add($"{pod} is restarted into a Secret that would not serve");
    }

    /// <summary>I7.</summary>
    void Volume(string what)
    {
        var pod = what["DELETE persistentvolumeclaims/data-".Length..];
        if (simulation.Table.Get("pods", Simulation.Key(pod)) is not null) Violations.Add($"{what} while its pod is there");
        if (simulation.Store.Groups.Any(group => IsFormer(group) && !group.Ended && group.Members.Any(member => $"{member.Name}-0" == pod)) && simulation.Cluster(Scenario.Cluster).Status!.FormedAt is null)
            Violations.Add($"{what} before the restored cluster has formed");
        if (simulation.Store.Groups.Any(group => !GivenUp(group) && group.Members.Any(member => $"{member.Name}-0" == pod))) Violations.Add($"{what} while its member is in the list");
    }

    /// <summary>Status names another incarnation, which a StoreRestore began.</summary>
    bool GivenUp(StoreGroup group) => group.Ended || IsFormer(group);

    bool IsFormer(StoreGroup group) => simulation.Table.Get("storeclusters", Simulation.Key(Scenario.Cluster)) is { } cluster && cluster["status"]?["restoration"] is not null
        && (string?)cluster["status"]!["clusterToken"] != group.Token;

    /// <summary>Voters that run and go on running: their pods are not about to end.</summary>
    int Serving(StoreGroup group) => group.Voters.Count(voter => voter.Process is not null
        && simulation.Table.Get("pods", Simulation.Key($"{voter.Name}-0")) is { } pod && pod["metadata"]!["deletionTimestamp"] is null && HasOwner(pod));

    /// <summary>A pod whose StatefulSet is gone is collected in a moment.</summary>
    bool HasOwner(JsonObject pod) => simulation.Table.Get("statefulsets", Simulation.Key(ObjectTable.KeyOf(pod).Name[..^2])) is not null;
}
