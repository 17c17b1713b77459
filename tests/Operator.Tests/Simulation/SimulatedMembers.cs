using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Operator.Controller;
using Operator.Core;
using Store.Protocol.Etcdserverpb;

namespace Operator.Tests;

/// <summary>The members' gRPC, as bytes on no wire: the operator's real client speaks to the <see cref="SimulatedStore"/> through it.</summary>
/// <param name="shown">Is told the certificates that a member shows.</param>
sealed class SimulatedMembers(SimulatedStore store, SimulatedTls tls, WriteLog writes, MemberEndpoint endpoint, Action<string>? shown) : HttpMessageHandler
{
    const int FailedPrecondition = 9;
    const int NotFound = 5;
    const int Unavailable = 14;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (store.At(endpoint.Ip) is not { } process) throw new HttpRequestException($"connection refused: {endpoint.Ip}");
        if (endpoint.Port == Ports.Agent) return store.Backups.Answer(process, request, writes, inClear: true);
        if (tls.Handshake(process, endpoint, shown) is { } refusal) throw new HttpRequestException($"TLS: {refusal}");
        if (endpoint.Port == Ports.AgentControl) return store.Backups.Answer(process, request, writes, inClear: false);
        if (request.RequestUri!.AbsolutePath == "/version") return new HttpResponseMessage(HttpStatusCode.OK);
        var body = (await request.Content!.ReadAsByteArrayAsync(cancellationToken))[5..];
        try
        {
            var method = request.RequestUri.AbsolutePath;
            SimulatedAuth.Pass(process, method, request.Headers.TryGetValues("token", out var token) ? token.First() : null);
            return Respond(Answer(process, method, body), 0, "");
        }
        catch (SimulatedRefusal refused)
        {
            return Respond(null, refused.Code, refused.Message);
        }
    }

    IMessage Answer(StoreProcess process, string method, byte[] body) => method switch
    {
        "/etcdserverpb.Maintenance/Status" => Status(process),
        "/etcdserverpb.Cluster/MemberList" => List(process),
        "/etcdserverpb.Cluster/MemberAdd" => writes.Write("MemberAdd", () => Add(process, MemberAddRequest.Parser.ParseFrom(body))),
        "/etcdserverpb.Cluster/MemberPromote" => writes.Write("MemberPromote", () => Promote(process, MemberPromoteRequest.Parser.ParseFrom(body).ID)),
        "/etcdserverpb.Cluster/MemberRemove" => writes.Write("MemberRemove", () => Remove(process, MemberRemoveRequest.Parser.ParseFrom(body).ID)),
        "/etcdserverpb.Maintenance/MoveLeader" => writes.Write("MoveLeader", () => Move(process, MoveLeaderRequest.Parser.ParseFrom(body).TargetID)),
        _ when method.StartsWith(SimulatedAuth.Service, StringComparison.Ordinal) => Users(process, method, body),
        _ => throw new SimulatedRefusal(12, $"{method} is not simulated"),
    };

    IMessage Users(StoreProcess process, string method, byte[] body)
    {
        RequireLeader(process);
        return SimulatedAuth.Changes(method)
            ? writes.Write(method[SimulatedAuth.Service.Length..], () => SimulatedAuth.Answer(process, method, body))
            : SimulatedAuth.Answer(process, method, body);
    }

    static StatusResponse Status(StoreProcess process)
    {
        var group = process.Group;
        return new StatusResponse
        {
            Header = Header(process),
            Version = "3.6.0",
            Leader = Follows(process)?.Id ?? 0,
            IsLearner = group.Find(process.MemberId)?.Learner ?? false,
            RaftIndex = group.Leader?.Id == process.MemberId ? group.Committed : process.Disk.Applied,
            RaftAppliedIndex = process.Disk.Applied,
            RaftTerm = group.Term,
        };
    }

    static MemberListResponse List(StoreProcess process)
    {
        RequireLeader(process);
        return new MemberListResponse { Header = Header(process), Members = { process.Group.Members.Select(Say) } };
    }

    MemberAddResponse Add(StoreProcess process, MemberAddRequest request)
    {
        RequireLeader(process);
        var group = process.Group;
        if (group.Members.Any(member => request.PeerURLs.Contains(member.PeerUrl))) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: Peer URLs already exists");
        if (request.IsLearner && group.Members.Any(member => member.Learner)) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: too many learner members in cluster");
        var added = new GroupMember { Id = store.NewMemberId(group, request.PeerURLs[0], group.Token), PeerUrl = request.PeerURLs[0], Learner = request.IsLearner };
        group.Members.Add(added);
        return new MemberAddResponse { Header = Header(process), Member = Say(added) };
    }

    static MemberPromoteResponse Promote(StoreProcess process, ulong id)
    {
        RequireLeader(process);
        var group = process.Group;
        var member = group.Find(id) ?? throw new SimulatedRefusal(NotFound, "etcdserver: member not found");
        if (!member.Learner) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: can only promote a learner member");
        if (member.Process is null || member.Process.Disk.Applied * 10 < group.Committed * 9)
            throw new SimulatedRefusal(FailedPrecondition, "etcdserver: can only promote a learner member which is in sync with leader");
        member.Learner = false;
        return new MemberPromoteResponse { Header = Header(process) };
    }

    static MemberRemoveResponse Remove(StoreProcess process, ulong id)
    {
        RequireLeader(process);
        var group = process.Group;
        var member = group.Find(id) ?? throw new SimulatedRefusal(NotFound, "etcdserver: member not found");
        var left = group.Voters.Where(voter => voter != member).ToList();
        if (!member.Learner && left.Count(voter => voter.Process is not null) < left.Count / 2 + 1)
            throw new SimulatedRefusal(FailedPrecondition, "etcdserver: re-configuration failed due to not enough started members");
        group.Members.Remove(member);
        return new MemberRemoveResponse { Header = Header(process) };
    }

    static MoveLeaderResponse Move(StoreProcess process, ulong target)
    {
        if (process.Group.Leader?.Id != process.MemberId) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: not leader");
        if (process.Group.Find(target) is not { Learner: false, Process: not null } heir) throw new SimulatedRefusal(FailedPrecondition, "etcdserver: bad leader transferee");
        process.Group.Leader = heir;
        process.Group.Term++;
        return new MoveLeaderResponse { Header = Header(process) };
    }

    /// <summary>A process that was removed from its cluster hears of no leader any more.</summary>
    static GroupMember? Follows(StoreProcess process) => process.Group.Find(process.MemberId) is null ? null : process.Group.Leader;

    static void RequireLeader(StoreProcess process)
    {
        if (Follows(process) is null) throw new SimulatedRefusal(Unavailable, "etcdserver: no leader");
    }

    static Member Say(GroupMember member) => new() { ID = member.Id, Name = member.Name, PeerURLs = { member.PeerUrl }, IsLearner = member.Learner };

    static ResponseHeader Header(StoreProcess process) => new() { ClusterId = process.Group.Id, MemberId = process.MemberId, Revision = process.Group.Revision };

    static HttpResponseMessage Respond(IMessage? message, int status, string text)
    {
        var payload = message?.ToByteArray() ?? [];
        var frame = new byte[message is null ? 0 : payload.Length + 5];
        if (message is not null)
        {
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
            payload.CopyTo(frame, 5);
        }

        var response = new HttpResponseMessage(HttpStatusCode.OK) { Version = HttpVersion.Version20, Content = new ByteArrayContent(frame) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        response.TrailingHeaders.Add("grpc-status", $"{status}");
        if (text.Length > 0) response.TrailingHeaders.Add("grpc-message", text);
        return response;
    }
}
