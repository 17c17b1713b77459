using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Reads the two Secrets of a cluster with authentication, logs in with them, and says how things stand.</summary>
sealed class AuthObserver(KubeApi api, UserClient users, LoginTokens tokens)
{
    public string? TokenOf(StoreCluster cluster) => tokens.Of(cluster)?.Token;

    /// <summary>Null where authentication is not the operator's concern; and then no Secret is asked for.</summary>
    public async Task<AuthSecrets?> ReadSecretsAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        if (!cluster.Spec.WantsAuth && cluster.Status?.Auth is null) return null;
        var (root, password) = await ReadRootAsync(cluster, cancellation);
        var login = await ReadAsync(cluster, Names.OperatorLogin(cluster.Metadata.Name), cancellation);
        var unread = login.Error is { NotFound: false } error ? error.ToString() : null;
        return new AuthSecrets(root, password, login.Value?.Metadata.Uid, OwnedSecret.Text(login.Value, OperatorLogin.Key)) { LoginSecretUnread = unread };
    }

    /// <summary>Logs in at the first member that takes a login: as the operator, else as root.</summary>
    /// <returns>Null when nobody lets it in.</returns>
    public async Task<string?> LogInAsync(StoreCluster cluster, AuthSecrets secrets, IReadOnlyList<MemberEndpoint> addresses, CancellationToken cancellation)
    {
        tokens.Forget(ObjectStore<StoreCluster>.KeyOf(cluster));
        if (tokens.WereRefused(cluster, secrets)) return null;
        var (tried, wrong) = (0, 0);
        foreach (var (user, name, password) in new[] { (LoginUser.Operator, OperatorLogin.User, secrets.LoginPassword), (LoginUser.Root, UserClient.Root, secrets.RootPassword) })
        {
            if (password is null) continue;
            tried++;
            foreach (var address in addresses)
            {
                var (token, refused) = await users.LogInAsync(address, name, password, cancellation);
                if (token is not null)
                {
                    tokens.Keep(cluster, token, user);
                    return token;
                }

                if (!refused) continue;
                wrong++;
                break;
            }
        }

        if (wrong == tried) tokens.Refuse(cluster, secrets);
        return null;
    }

    /// <param name="addresses">Of members that are to be asked, the likeliest to answer first.</param>
    public async Task<AuthView> ViewAsync(StoreCluster cluster, AuthSecrets secrets, IReadOnlyList<MemberEndpoint> addresses, CancellationToken cancellation)
    {
        bool? enabled = null;
        foreach (var address in addresses)
        {
            enabled = await users.IsEnabledAsync(address, cancellation);
            if (enabled is not null) break;
        }

        return new AuthView
        {
            Enabled = enabled,
            LoggedInAs = enabled == true && tokens.Of(cluster) is { } login ? login.User : LoginUser.None,
            Refused = tokens.WereRefused(cluster, secrets),
            LoginSecretUid = secrets.LoginSecretUid,
            LoginSecretUnread = secrets.LoginSecretUnread,
            Root = secrets.Root,
            RootHasPassword = enabled == true ? await TryRootAsync(cluster, secrets, addresses, cancellation) : null,
        };
    }

    /// <summary>A password is hashed for a tenth of a second on the member that is asked, so it is only tried while status does not say that it was.</summary>
    async Task<bool?> TryRootAsync(StoreCluster cluster, AuthSecrets secrets, IReadOnlyList<MemberEndpoint> addresses, CancellationToken cancellation)
    {
        if (secrets.RootPassword is not { } password || cluster.Status?.Auth is not { } status || status.RootSecretVersion == secrets.Root?.Version) return null;
        foreach (var address in addresses)
        {
            var (token, refused) = await users.LogInAsync(address, UserClient.Root, password, cancellation);
            if (token is not null) return true;
            if (refused) return false;
        }

        return null;
    }

    async Task<(RootSecret?, string?)> ReadRootAsync(StoreCluster cluster, CancellationToken cancellation)
    {
        if (cluster.Spec.Auth?.RootSecret is not { } wanted) return (null, null);
        var answer = await ReadAsync(cluster, wanted.Name, cancellation);
        return answer.Error is { NotFound: false } error
            ? (RootSecret.Unreadable(wanted, cluster.Metadata.NamespaceProperty, error.ToString()), null)
            : RootSecret.Read(wanted, answer.Value);
    }

    Task<ApiResult<V1Secret>> ReadAsync(StoreCluster cluster, string name, CancellationToken cancellation) =>
        api.GetAsync<V1Secret>(new ObjectKey(cluster.Metadata.NamespaceProperty, name), cancellation);
}

/// <param name="Root">Null when the spec names none.</param>
/// <param name="LoginSecretUid">Of the operator's own Secret; null when it does not exist.</param>
sealed record AuthSecrets(RootSecret? Root, string? RootPassword, string? LoginSecretUid, string? LoginPassword)
{
    /// <summary>Why it could not be read; null when it was, or does not exist.</summary>
    public string? LoginSecretUnread { get; init; }

    /// <summary>Passwords go into no log.</summary>
    public override string ToString() => $"{Root?.Version}, {LoginSecretUid}";
}
