using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Operator.Core;
using Store.Protocol.Etcdserverpb;

namespace Operator.Controller;

/// <summary>Talks to members in etcd's protocol. One connection an address, kept; addresses that have not been asked for a while are dropped.</summary>
/// <param name="dial">The way to each member.</param>
sealed class MemberClient(TimeProvider time, MemberDialer dial) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    static readonly TimeSpan ChangePatience = TimeSpan.FromSeconds(7);
    static readonly TimeSpan Unused = TimeSpan.FromMinutes(5);

    sealed record Connection(GrpcChannel Channel)
    {
        public long UsedAt;
    }

    readonly ConcurrentDictionary<MemberEndpoint, Connection> connections = new();
    readonly ConcurrentDictionary<ObjectKey, MemberTrust> trusts = new();

    /// <summary>Where the member of this pod listens to clients; null while it has no address, or there are no certificates to speak to it with.</summary>
    public MemberEndpoint? EndpointOf(ClusterView view, MemberName member)
    {
        if (view.Pods.FirstOrDefault(pod => pod.Metadata.Name == member.Pod)?.Status?.PodIP is not { Length: > 0 } ip) return null;
        if (view.Spec.Issuer(TlsSide.Client) is null) return new MemberEndpoint(ip, Ports.Client, member.Host(view.Namespace), Tls: null);
        return TrustOf(view) is { } trust ? new MemberEndpoint(ip, Ports.Client, member.Host(view.Namespace), trust) : null;
    }

    /// <summary>The operator's certificate, and every authority that is or was in use: one that is being replaced signs what some members still show.</summary>
    MemberTrust? TrustOf(ClusterView view)
    {
        var secret = view.ShownByOperator;
        if (Certificate.Read(secret, CertificateSecret.CertificateEntry, CertificateSecret.KeyEntry) is not { KeyPem: { } key } shown) return null;
        var more = view.Spec.Issuer(TlsSide.Client)!.SecretRefs is { } refs && view.Given.GetValueOrDefault(refs.Member.Name) is { } members
            ? OwnedSecret.Text(members, CertificateSecret.AuthorityEntry)
            : Authority.Read(view.Secret(CertificateNames.Authority(view.Name, TlsSide.Client)))?.Bundle;
        var authorities = $"{OwnedSecret.Text(secret!, CertificateSecret.AuthorityEntry)}\n{more}";
        var made = MemberTrust.Fingerprint(shown.Pem, key, authorities);
        return trusts.AddOrUpdate(new ObjectKey(view.Namespace, view.Name), _ => new MemberTrust(shown.Pem, key, authorities), (_, before) => before.IsMadeFrom(made) ? before : new MemberTrust(shown.Pem, key, authorities));
    }

    /// <summary>What it says of itself, or what it says against whoever asks. Neither when it does not answer in time, whatever the reason: for the planner that is
    /// all the same.</summary>
    /// <param name="token">Of a login; null without one.</param>
    public async Task<(MemberReport? Report, string? Refusal)> ReportAsync(MemberEndpoint address, string? token, CancellationToken cancellation)
    {
        try
        {
            var status = await new Maintenance.MaintenanceClient(Channel(address)).StatusAsync(new StatusRequest(), Options(Patience, token, cancellation));
            return (new MemberReport(
                status.Header.MemberId, status.Header.ClusterId.ToString("x"), status.Leader, status.IsLearner, status.Version, status.RaftIndex, status.RaftAppliedIndex, status.RaftTerm)
            {
                Errors = [.. status.Errors],
                Revision = status.Header.Revision,
                DbBytes = status.DbSize,
                DbInUseBytes = status.DbSizeInUse,
            }, null);
        }
        catch (RpcException failure) when (!cancellation.IsCancellationRequested)
        {
            return (null, IsRefusal(failure) ? failure.Status.Detail : null);
        }
    }

    /// <summary>The linearizable member list; null when there is no quorum to vouch for it.</summary>
    public async Task<Membership?> ListAsync(MemberEndpoint address, string? token, string cluster, CancellationToken cancellation)
    {
        try
        {
            var list = await Cluster(address).MemberListAsync(new MemberListRequest { Linearizable = true }, Options(Patience, token, cancellation));
            return new Membership(list.Header.ClusterId.ToString("x"), [.. list.Members.Select(member => Read(cluster, member))]);
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <returns>Null, or what the store says against it.</returns>
    public Task<string?> AddLearnerAsync(MemberEndpoint address, string? token, string peerUrl, CancellationToken cancellation) => ChangeAsync(async () =>
        await Cluster(address).MemberAddAsync(new MemberAddRequest { PeerURLs = { peerUrl }, IsLearner = true }, Options(ChangePatience, token, cancellation)), cancellation);

    /// <inheritdoc cref="AddLearnerAsync"/>
    public Task<string?> PromoteAsync(MemberEndpoint address, string? token, ulong id, CancellationToken cancellation) => ChangeAsync(async () =>
        await Cluster(address).MemberPromoteAsync(new MemberPromoteRequest { ID = id }, Options(ChangePatience, token, cancellation)), cancellation);

    /// <inheritdoc cref="AddLearnerAsync"/>
    public Task<string?> RemoveAsync(MemberEndpoint address, string? token, ulong id, CancellationToken cancellation) => ChangeAsync(async () =>
        await Cluster(address).MemberRemoveAsync(new MemberRemoveRequest { ID = id }, Options(ChangePatience, token, cancellation)), cancellation);

    /// <summary>The leader itself must be asked.</summary>
    /// <inheritdoc cref="AddLearnerAsync"/>
    public Task<string?> MoveLeaderAsync(MemberEndpoint leaderAddress, string? token, ulong to, CancellationToken cancellation) => ChangeAsync(async () =>
        await new Maintenance.MaintenanceClient(Channel(leaderAddress)).MoveLeaderAsync(new MoveLeaderRequest { TargetID = to }, Options(ChangePatience, token, cancellation)), cancellation);

    /// <summary>For calls about users, with the options of a change.</summary>
    public (Auth.AuthClient Client, CallOptions Options) Users(MemberEndpoint address, string? token, CancellationToken cancellation) =>
        (new Auth.AuthClient(Channel(address)), Options(ChangePatience, token, cancellation));

    public void Dispose()
    {
        foreach (var connection in connections.Values) connection.Channel.Dispose();
    }

    /// <inheritdoc cref="AddLearnerAsync"/>
    internal static async Task<string?> ChangeAsync(Func<Task> call, CancellationToken cancellation)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException failure) when (!cancellation.IsCancellationRequested)
        {
            return $"{failure.StatusCode}: {failure.Status.Detail}";
        }
    }

    Cluster.ClusterClient Cluster(MemberEndpoint address) => new(Channel(address));

    GrpcChannel Channel(MemberEndpoint address)
    {
        var connection = connections.GetOrAdd(address, Open);
        connection.UsedAt = time.GetTimestamp();
        foreach (var (other, idle) in connections)
        {
            if (time.GetElapsedTime(idle.UsedAt) > Unused && connections.TryRemove(other, out var unused)) unused.Channel.Dispose();
        }

        return connection.Channel;
    }

    Connection Open(MemberEndpoint endpoint) => new(GrpcChannel.ForAddress(endpoint.Url, new GrpcChannelOptions
    {
        HttpHandler = dial(endpoint, shown: null),
        DisposeHttpClient = true,
        // A pod that restarts is asked again at once, not after gRPC's two minutes of growing patience.
        InitialReconnectBackoff = TimeSpan.FromMilliseconds(200),
        MaxReconnectBackoff = TimeSpan.FromSeconds(1),
    }))
    {
        UsedAt = time.GetTimestamp(),
    };

    static CallOptions Options(TimeSpan patience, string? token, CancellationToken cancellation) =>
        new(token is null ? null : new Metadata { { "token", token } }, DateTime.UtcNow + patience, cancellation);

    /// <summary>Who asked is not known, or not any more, or may not; a status request can be refused for nothing else.</summary>
    static bool IsRefusal(RpcException failure) =>
        failure.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.InvalidArgument;

    static ListedMember Read(string cluster, Member member) => new(
        member.PeerURLs.Select(url => MemberName.FromPeerUrl(cluster, url)).FirstOrDefault(name => name is not null),
        member.ID, [.. member.PeerURLs], member.IsLearner, Started: member.Name.Length > 0);
}
