using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Store.State;

namespace Store.Server;

/// <summary>
/// The door (contract 1.10): who calls, by token or by certificate, and whether they may. While authentication is off nobody is asked, and it costs one look at
/// the view. Commands that pass carry who asked and are asked about again when they are applied.
/// </summary>
public sealed class AccessControl
{
    readonly ReplicaLoop loop;
    readonly ITokens tokens;
    readonly bool certificatesCount;

    /// <param name="certificatesCount">Clients without a token are who their verified certificate says.</param>
    internal AccessControl(ReplicaLoop loop, ITokens tokens, bool certificatesCount) =>
        (this.loop, this.tokens, this.certificatesCount) = (loop, tokens, certificatesCount);

    public bool IsOff => !loop.View.Auth.Enabled;

    /// <summary>None with the caller's credentials, or why not.</summary>
    internal async ValueTask<Bearer> AdmitAsync(HttpContext http, RequiredAccess required)
    {
        if (IsOff || required.Kind == AccessKind.Open) return Bearer.Nobody;
        var bearer = await IdentifyAsync(http);
        if (bearer.Error != StoreError.None) return bearer;
        var error = await CheckAsync(bearer.Credentials, required);
        if (error == StoreError.None) return bearer;
        // This member may lag behind: (1) another grants the permission; (2) its user comes here before that was applied here.
        if (await loop.ReadIndexAsync(http.RequestAborted) != StoreError.None) return new(error, default);
        if (bearer.Credentials.IsNobody) return new(error, default);
        bearer = await IdentifyAsync(http);
        return bearer.Error != StoreError.None ? bearer : new(await CheckAsync(bearer.Credentials, required), bearer.Credentials);
    }

    /// <summary>Lets the call in, with who asks, or answers why not. What was read outside the log counts only when users and roles are still the same afterwards.</summary>
    internal async ValueTask<Answer> PassAsync(HttpContext http, Guard guard, Func<Caller, ValueTask<Answer>> call)
    {
        var bearer = await (guard.ReadsToken && guard.Required.Kind == AccessKind.Open && !IsOff ? IdentifyAsync(http) : AdmitAsync(http, guard.Required));
        if (bearer.Error != StoreError.None) return bearer.Error;
        var answer = await call(new(http, bearer.Credentials));
        if (!guard.Reads || answer.Failed || Recheck(bearer.Credentials) == StoreError.None) return answer;
        answer.Release();
        return Recheck(bearer.Credentials);
    }

    /// <summary>No log takes such a request, whoever asks, and whether they may is not looked at, as in etcd; but a token that nobody was given is refused before.</summary>
    internal async ValueTask<Answer> RefuseTooLargeAsync(HttpContext http) =>
        await IdentifyAsync(http) is { Error: not StoreError.None and var error } ? error : StoreError.RequestTooLarge;

    /// <summary>For streams, which can only end with an exception.</summary>
    public async Task RequireAsync(ServerCallContext context, RequiredAccess required)
    {
        if (IsOff) return;
        if ((await AdmitAsync(context.GetHttpContext(), required)).Error is not StoreError.None and var error) throw StatusMapping.ToException(error);
    }

    /// <summary>AuthRevisionOld when users or roles have changed since the caller was admitted: what was read meanwhile must not go out.</summary>
    StoreError Recheck(Credentials who) =>
        who.IsNobody || who.Revision >= loop.View.Auth.Revision ? StoreError.None : StoreError.AuthRevisionOld;

    async ValueTask<Bearer> IdentifyAsync(HttpContext http)
    {
        if (TokenOf(http.Request.Headers) is { } token) return await tokens.IdentifyAsync(token, http.RequestAborted);
        return certificatesCount && CommonNameOf(http) is { Length: > 0 } name ? new(StoreError.None, new(name, loop.View.Auth.Revision)) : Bearer.Nobody;
    }

    async ValueTask<StoreError> CheckAsync(Credentials who, RequiredAccess required)
    {
        var auth = loop.View.Auth;
        if ((required.Leases.IsEmpty && !required.EveryLease) || !auth.Enabled) return Authorization.Check(auth, who, required, static _ => []);
        // Attachments are the loop's own.
        return await loop.AskAsync(replica =>
        {
            var full = required.EveryLease ? RequiredAccess.ReadLeases(replica.State.Leases.Select(lease => lease.Id)) : required;
            return Authorization.Check(replica.State.View.Auth, who, full, id => replica.State.FindLease(id)?.Keys ?? []);
        });
    }

    /// <summary>etcd's clients send "token"; the JSON gateway passes on "authorization".</summary>
    static string? TokenOf(IHeaderDictionary headers)
    {
        const string scheme = "Bearer ";
        if (headers.TryGetValue("token", out var token) && token.Count > 0) return token[0];
        if (!headers.TryGetValue("authorization", out var authorization) || authorization.Count == 0) return null;
        var text = authorization[0] ?? "";
        return text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? text[scheme.Length..] : text;
    }

    /// <summary>Of gRPC's callers alone: behind a JSON gateway, here or elsewhere, a certificate is the gateway's and nobody's name.</summary>
    static string? CommonNameOf(HttpContext http) =>
        UnaryEndpoint.IsGrpc(http.Request) && !http.Request.Headers.ContainsKey("grpcgateway-accept") ? http.Features.Get<ClientCertificateName>()?.CommonName : null;
}
