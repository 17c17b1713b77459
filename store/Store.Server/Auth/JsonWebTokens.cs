using System.Collections.Concurrent;
using Store.State;

namespace Store.Server;

/// <summary>
/// Signed tokens: no member has to remember them. They carry the auth revision of their login, so that after any change of users and roles their bearer
/// hears "revision of auth store is old", as in etcd, and logs in anew.
/// </summary>
sealed class JsonWebTokens(ReplicaLoop loop, TokenKey key, TimeSpan timeToLive, TimeProvider time) : ITokens
{
    const int VerifiedMax = 1000;

    /// <summary>A signature costs more than a read. Only what was right is kept.</summary>
    readonly ConcurrentDictionary<string, TokenClaims> verified = new(StringComparer.Ordinal);

    public async ValueTask<Bearer> IdentifyAsync(string token, CancellationToken cancellationToken)
    {
        if (Verify(token) is not { } claims) return Bearer.Invalid;
        // (1) A user is added, and logs in at another member; (2) its token comes here before that was applied here.
        if (claims.Revision > loop.View.Auth.Revision && await loop.ReadIndexAsync(cancellationToken) is not StoreError.None and var error) return new(error, default);
        // A password that was changed ends a login here, too; in etcd such a token still administers until it expires.
        return loop.View.Auth.IsLoggedIn(claims.User, claims.Revision) ? new(StoreError.None, new(claims.User, claims.Revision)) : Bearer.Invalid;
    }

    public Task<(StoreError Error, string Token)> IssueAsync(string user, ulong revision) => Task.FromResult(
        key.CanSign ? (StoreError.None, JsonWebToken.Write(new(user, revision, time.GetUtcNow() + timeToLive), key)) : (StoreError.TokenVerifyOnly, ""));

    TokenClaims? Verify(string token)
    {
        var now = time.GetUtcNow();
        if (!verified.TryGetValue(token, out var claims))
        {
            if (JsonWebToken.Read(token, key, now) is not { } read) return null;
            if (verified.Count >= VerifiedMax) verified.Clear();
            verified[token] = claims = read;
        }

        return claims.HoldAt(now) ? claims : null;
    }
}
