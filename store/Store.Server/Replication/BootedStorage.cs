using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Store.Raft;
using Store.State;
using Store.Storage;

namespace Store.Server;

/// <summary>A member's data, open and ready for the core.</summary>
/// <param name="KnownMembers">Whom the flags or the running cluster named; what the state tells of is newer.</param>
sealed record BootedStorage(
    ulong ClusterId, NodeId Self, DataDirectory Data, WriteAheadLog Log, RocksEngine Engine, StateMachine State, RaftStart Start,
    IReadOnlyList<ClusterMember> KnownMembers)
{
    /// <summary>
    /// Once a member has begun its data directory alone says who it is: --initial-cluster and the rest are for the first start (etcd's rule, which lets
    /// manifests stay as they are).
    /// </summary>
    public static async Task<BootedStorage> OpenAsync(ServerOptions options, TlsDialing tls, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var data = DataDirectory.Open(options.DataDirectory, options.WalDirectory);
        try
        {
            if (data.Identity is null && options is { InitialClusterState: InitialClusterState.New, Discovery: not null })
            {
                options = options with { InitialCluster = await Discovery.FindAsync(options, time, logger, cancellationToken) };
                Server.Log.Discovered(logger, string.Join(',', options.InitialCluster.SelectMany(member => member.PeerUrls.Select(url => $"{member.Name}={url}"))));
            }

            var (clusterId, self, members) = data.Identity is { } owner
                ? (owner.ClusterId, owner.Member, [])
                : options.InitialClusterState == InitialClusterState.New
                    ? InitialMembership.Of(options)
                    : await JoinedCluster.AskAsync(options, tls, time, cancellationToken);
            var booted = Open(options, data, clusterId, self, members, logger);
            foreach (var notice in data.Notices) Server.Log.DataNotice(logger, notice);
            var how = members.Count == 0 ? "restart" : options.InitialClusterState == InitialClusterState.New ? "new cluster" : "join";
            var last = booted.Start.Entries is [.., var entry] ? entry.Index : booted.Start.Snapshot.Index;
            Server.Log.Booted(
                logger, self.ToString(), clusterId.ToString("x"), how, booted.State.Applied.Value, last.Value, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return booted;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>The flags, or what was discovered, may name others than before the crash: then nobody has promised anything, and it is for the user to say who is right.</summary>
    static IReadOnlyList<ClusterMember> FirstMembers(ServerOptions options, ulong clusterId)
    {
        var (named, _, members) = InitialMembership.Of(options);
        return named == clusterId ? members
            : throw new BootException($"{options.DataDirectory} was made for cluster {clusterId:x}, but the members named now are those of {named:x}; it holds nothing yet: remove it, and start again");
    }

    static BootedStorage Open(ServerOptions options, DataDirectory data, ulong clusterId, NodeId self, IReadOnlyList<ClusterMember> members, ILogger logger)
    {
        var identity = new Storage.MemberIdentity(clusterId, self);
        var storage = data.OpenStorage(identity, NodeOptions.Wal(options), NodeOptions.Rocks());
        try
        {
            var state = StateMachine.Open(storage.Engine, NodeOptions.State(options));
            if (state.View.Cluster.Removed.Contains(self))
                throw new BootException($"the member {self} has been permanently removed from the cluster; remove its data directory, and add the member anew to bring it back");
            if (data.Identity is null) data.Begin(identity);
            var content = storage.Content;
            // Also when a crash came between the two: an empty log has promised nothing to anybody.
            if (options.InitialClusterState == InitialClusterState.New && IsEmpty(content) && state.Applied == LogIndex.Zero)
                content = Begin(storage.Log, content, FirstMembers(options, clusterId));
            var boot = BootRule.Decide(content, state.Applied, state.AppliedTerm, state.Config, storage.Installed);
            if (boot.Repair is { } repair) storage.Log.Persist([repair]);
            var start = boot.Start with { Config = state.Config };
            if (options.ForceNewCluster && ForcedCluster.Entries(start, self) is { } forced)
            {
                storage.Log.Persist([forced]);
                start = ForcedCluster.Append(start, forced);
                Server.Log.ClusterForced(logger, self.ToString(), forced.Entries.Count);
            }
            return new(clusterId, self, data, storage.Log, storage.Engine, state, start, members);
        }
        catch
        {
            storage.Engine.Dispose();
            storage.Log.Dispose();
            throw;
        }
    }

    static bool IsEmpty(WalContent content) => content.Entries.Count == 0 && content.HardState == default && content.Start.Index == LogIndex.Zero;

    static WalContent Begin(WriteAheadLog log, WalContent content, IReadOnlyList<ClusterMember> members)
    {
        var first = InitialMembership.Entries(members);
        log.Persist([first]);
        return content with { HardState = first.HardState!.Value, Entries = first.Entries };
    }
}
