using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;
using Store.Protocol.V3lockpb;

namespace EndToEnd.Tests;

/// <summary>Any unary request of any service to one member, over gRPC or as JSON, with a user's login.</summary>
sealed partial class Calls(MemberProcess member) : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    static readonly Dictionary<MessageDescriptor, MethodDescriptor> Methods = RpcReflection.Descriptor.Services
        .Concat(LockReflection.Descriptor.Services).Concat(ElectionReflection.Descriptor.Services)
        .SelectMany(service => service.Methods)
        .Where(method => !method.IsClientStreaming && !method.IsServerStreaming)
        .ToDictionary(method => method.InputType);

    /// <summary>Where the path is not the method's name.</summary>
    static readonly Dictionary<string, string> Paths = new(StringComparer.Ordinal)
    {
        ["Compact"] = "kv/compaction",
        ["UserChangePassword"] = "auth/user/changepw",
        ["UserGrantRole"] = "auth/user/grant",
        ["UserRevokeRole"] = "auth/user/revoke",
        ["RoleGrantPermission"] = "auth/role/grant",
        ["RoleRevokePermission"] = "auth/role/revoke",
    };

    static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);
    static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    readonly Dictionary<string, string> tokens = new(StringComparer.Ordinal) { [Step.Stranger] = "abcdefghijklmnop.7" };
    readonly HttpClient http = new() { BaseAddress = new(member.ClientUrl), Timeout = Patience };

    public GrpcChannel Channel { get; } = member.NewChannel();

    /// <exception cref="RpcException">It was refused.</exception>
    public async Task<IMessage> CallAsync(IMessage request, string? user)
    {
        var method = Methods[request.Descriptor];
        var call = new Method<IMessage, IMessage>(
            MethodType.Unary, method.Service.FullName, method.Name,
            Marshallers.Create<IMessage>(message => message.ToByteArray(), _ => throw new InvalidOperationException()),
            Marshallers.Create<IMessage>(_ => throw new InvalidOperationException(), method.OutputType.Parser.ParseFrom));
        var response = await Channel.CreateCallInvoker().AsyncUnaryCall(call, null, Options(user), request);
        if (response is AuthenticateResponse login)
            tokens[((AuthenticateRequest)request).Name] = login.Token;
        return response;
    }

    /// <summary>Status and body of the gateway's answer, without what must differ.</summary>
    public async Task<Answer> CallAsJsonAsync(IMessage request, string? user)
    {
        var method = Methods[request.Descriptor];
        using var message = new HttpRequestMessage(HttpMethod.Post, $"/v3/{PathOf(method)}") { Content = new StringContent(Formatter.Format(request), Encoding.UTF8, "application/json") };
        if (user is not null && tokens.TryGetValue(user, out var token))
            message.Headers.TryAddWithoutValidation("Authorization", token);
        using var response = await http.SendAsync(message);
        var body = await response.Content.ReadAsStringAsync();
        // Go puts blanks where it likes, so that nobody relies on them.
        var said = $"{(int)response.StatusCode} {OwnNumbers().Replace(body.StartsWith('{') ? JsonNode.Parse(body)!.ToJsonString() : body, "\"$1\":\"own\"")}";
        return new Answer(said, response.IsSuccessStatusCode ? Parser.Parse(body, method.OutputType) : null);
    }

    public CallOptions Options(string? user, CancellationToken cancellationToken = default)
    {
        var options = new CallOptions(deadline: DateTime.UtcNow + Patience, cancellationToken: cancellationToken);
        return Login(user) is { } login ? options.WithHeaders(login) : options;
    }

    public Metadata? Login(string? user) => user is not null && tokens.TryGetValue(user, out var token) ? new Metadata { { "token", token } } : null;

    public void Dispose()
    {
        Channel.Dispose();
        http.Dispose();
    }

    static string PathOf(MethodDescriptor method)
    {
        if (Paths.TryGetValue(method.Name, out var path))
            return path;
        var name = method.Name;
        // AuthEnable of Auth is auth/enable, UserAdd auth/user/add, LeaseGrant lease/grant.
        if (name.StartsWith(method.Service.Name, StringComparison.Ordinal) && name.Length > method.Service.Name.Length)
            name = name[method.Service.Name.Length..];
        foreach (var noun in (string[])["User", "Role"])
        {
            if (name.StartsWith(noun, StringComparison.Ordinal))
                name = $"{noun}/{name[noun.Length..]}";
        }
        return $"{method.Service.Name}/{name}".ToLowerInvariant();
    }

    [GeneratedRegex("\"(cluster_id|member_id|raft_term)\":\"[0-9]+\"")]
    private static partial Regex OwnNumbers();
}
