namespace Store.Server;

/// <summary>How logins are remembered (--auth-token, --auth-token-ttl).</summary>
sealed record AuthTokenOptions
{
    /// <summary>How long a simple token lives without being used.</summary>
    public TimeSpan SimpleTimeToLive { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Null for simple tokens.</summary>
    public TokenKey? Key { get; init; }

    /// <summary>How long a signed token lives, however it is used.</summary>
    public TimeSpan SignedTimeToLive { get; init; } = TimeSpan.FromMinutes(5);
}
