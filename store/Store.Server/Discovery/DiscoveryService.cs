using System.Collections.Immutable;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.Server;

/// <summary>
/// etcd's v3 discovery: another etcd, or store, keeps the list. An operator has put the size under "/_etcd/registry/TOKEN/_config/size"; each member puts itself under
/// ".../members/ID" as "name=url", and the first ones by create revision are the cluster.
/// </summary>
/// <remarks>Members look once a second rather than watch: it is a matter of seconds, once in a cluster's life, and a look needs no state that could be lost.</remarks>
sealed class DiscoveryService(DiscoveryOptions.Service options, InitialMember self, NodeId id, TimeProvider time, ILogger logger)
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly DiscoveryTls tls = DiscoveryTls.Open(options.Tls);
    readonly string registry = $"/_etcd/registry/{options.Token}";

    /// <summary>Returns when all members have come.</summary>
    /// <exception cref="BootException">The token is not there, or its cluster is full.</exception>
    public async Task<ImmutableArray<InitialMember>> FindAsync(CancellationToken cancellationToken)
    {
        var said = "";
        for (var attempt = 0; ; attempt++)
        {
            var endpoint = options.Endpoints[attempt % options.Endpoints.Length];
            try
            {
                if (await LookAsync(endpoint, cancellationToken) is { } members) return members;
            }
            catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
            {
                if (said != exception.Status.Detail) Log.DiscoveryUnreachable(logger, endpoint.ToString(), said = exception.Status.Detail);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Null while some are missing.</summary>
    async Task<ImmutableArray<InitialMember>?> LookAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        using var channel = GrpcChannel.ForAddress(endpoint, new() { HttpHandler = tls.Handler(), DisposeHttpClient = true });
        var credentials = await CredentialsAsync(channel, cancellationToken);
        var kv = new KV.KVClient(channel);
        var size = await SizeAsync(kv, credentials, cancellationToken);
        var come = await MembersAsync(kv, credentials, cancellationToken);
        var key = $"{registry}/members/{id}";
        var place = come.FindIndex(member => member.Key == key);
        if (place < 0 && come.Count >= size) throw new BootException($"discovery: cluster is full: {size} members have come to the token {options.Token} before; take a new token, or join with --initial-cluster-state=existing");
        if (place < 0)
        {
            var contents = string.Join(',', self.PeerUrls.Select(url => $"{self.Name}={url}"));
            var put = new PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(contents) };
            await kv.PutAsync(put, credentials, Deadline, cancellationToken);
            come = await MembersAsync(kv, credentials, cancellationToken);
            place = come.FindIndex(member => member.Key == key);
        }

        // Several may have come for the last place at once: the create revision tells who was first.
        if (place >= size) throw new BootException($"discovery: cluster is full: the last place of the token {options.Token} went to another member");
        return come.Count < size ? null : [.. come.Take(size).Select(member => Parse(member.Value)).OrderBy(member => member.Name, StringComparer.Ordinal)];
    }

    DateTime Deadline => time.GetUtcNow().UtcDateTime + options.RequestTimeout;

    async Task<Metadata> CredentialsAsync(GrpcChannel channel, CancellationToken cancellationToken)
    {
        if (options.User.Length == 0) return [];
        var request = new AuthenticateRequest { Name = options.User, Password = options.Password };
        var answer = await new Auth.AuthClient(channel).AuthenticateAsync(request, null, Deadline, cancellationToken);
        return new() { { "token", answer.Token } };
    }

    async Task<int> SizeAsync(KV.KVClient kv, Metadata credentials, CancellationToken cancellationToken)
    {
        var found = await kv.RangeAsync(new() { Key = ByteString.CopyFromUtf8(registry + "/_config/size") }, credentials, Deadline, cancellationToken);
        if (found.Kvs is not [var kept]) throw new BootException($"discovery: size key not found: put the number of members under {registry}/_config/size first");
        return int.TryParse(kept.Value.ToStringUtf8(), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0
            ? size : throw new BootException($"discovery: size key is bad: {registry}/_config/size must be a number of members, not '{kept.Value.ToStringUtf8()}'");
    }

    async Task<List<(string Key, string Value)>> MembersAsync(KV.KVClient kv, Metadata credentials, CancellationToken cancellationToken)
    {
        var range = new RangeRequest
        {
            Key = ByteString.CopyFromUtf8(registry + "/members/"),
            RangeEnd = ByteString.CopyFromUtf8(registry + "/members0"), // The character behind the slash.
            SortTarget = RangeRequest.Types.SortTarget.Create,
            SortOrder = RangeRequest.Types.SortOrder.Ascend,
        };
        var found = await kv.RangeAsync(range, credentials, Deadline, cancellationToken);
        return [.. found.Kvs.Select(kept => (kept.Key.ToStringUtf8(), kept.Value.ToStringUtf8()))];
    }

    InitialMember Parse(string contents)
    {
        var parts = contents.Split(',').Select(part => part.Split('=', 2)).ToArray();
        if (parts.Any(part => part is not [{ Length: > 0 }, { Length: > 0 }]) || parts.Select(part => part[0]).Distinct(StringComparer.Ordinal).Count() != 1)
            throw new BootException($"discovery: a member under {registry}/members/ has told '{contents}', which is not name=url,...");
        return new(parts[0][0], [.. parts.Select(part => part[1]).Order(StringComparer.Ordinal)]);
    }
}
