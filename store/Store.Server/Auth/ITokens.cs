using Store.State;

namespace Store.Server;

/// <summary>Who the bearer of a token is.</summary>
/// <param name="Error">InvalidAuthToken, or why it could not be found out.</param>
readonly record struct Bearer(StoreError Error, Credentials Credentials)
{
    public static readonly Bearer Nobody;
    public static readonly Bearer Invalid = new(StoreError.InvalidAuthToken, default);
}

/// <summary>How a login is remembered: by every member (<see cref="SimpleTokens"/>), or in the token itself (<see cref="JsonWebTokens"/>).</summary>
interface ITokens
{
    ValueTask<Bearer> IdentifyAsync(string token, CancellationToken cancellationToken);

    /// <summary>A token for a user whose password was right at the auth revision.</summary>
    Task<(StoreError Error, string Token)> IssueAsync(string user, ulong revision);
}
