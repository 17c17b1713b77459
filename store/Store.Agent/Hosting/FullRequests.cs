using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Store.Agent;

/// <summary>
/// `POST /full?after=ID`: take a full backup that is newer than the one of this id (nothing for none), and no more than one, however often it is asked for. Where the agent logs in
/// at its member by name, who asks has to know the same password: `Authorization: HMAC HEX`, with HEX the HMAC-SHA256 under the password of "full after ID". The password is never sent.
/// </summary>
static class FullRequests
{
    public const string Path = "/full";

    const string Scheme = "HMAC ";

    public static Task TakeAsync(HttpContext http, AgentState state, string? passwordFile)
    {
        var after = http.Request.Query["after"].ToString();
        var (code, words) = Judge(after, http.Request.Headers.Authorization.ToString(), passwordFile);
        if (code == StatusCodes.Status202Accepted) state.Want(after);
        http.Response.StatusCode = code;
        return http.Response.WriteAsync(words + "\n");
    }

    /// <summary>Where members speak TLS, requests in clear come from anybody.</summary>
    public static Task RefuseAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status403Forbidden;
        return http.Response.WriteAsync("the agent takes requests over TLS only, where --listen-control-urls says\n");
    }

    static (int Code, string Words) Judge(string after, string authorization, string? passwordFile)
    {
        if (passwordFile is null) return (StatusCodes.Status202Accepted, "a full backup will be taken");
        try
        {
            var wanted = HMACSHA256.HashData(Encoding.UTF8.GetBytes(File.ReadAllText(passwordFile).Trim()), Encoding.UTF8.GetBytes($"full after {after}"));
            return authorization.StartsWith(Scheme, StringComparison.Ordinal)
                && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(wanted)), Encoding.ASCII.GetBytes(authorization[Scheme.Length..]))
                ? (StatusCodes.Status202Accepted, "a full backup will be taken")
                : (StatusCodes.Status401Unauthorized, "this was not asked with the password that the agent logs in with");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (StatusCodes.Status503ServiceUnavailable, $"the agent cannot read its password: {e.Message}");
        }
    }
}
