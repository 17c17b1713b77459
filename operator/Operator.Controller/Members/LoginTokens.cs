using System.Collections.Concurrent;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>What the operator's logins got, one of each cluster. A token is good on every member for five minutes after each use, and passes are more frequent.</summary>
internal sealed class LoginTokens
{
    private sealed record Login(string Uid, string Token, LoginUser User);

    private readonly ConcurrentDictionary<ObjectKey, Login> _logins = new();

    /// <summary>Of this very StoreCluster, and not of a former one of the same name.</summary>
    public (string Token, LoginUser User)? Of(StoreCluster cluster) =>
        _logins.TryGetValue(ObjectStore<StoreCluster>.KeyOf(cluster), out var login) && login.Uid == cluster.Uid() ? (login.Token, login.User) : null;

    public void Keep(StoreCluster cluster, string token, LoginUser user) => _logins[ObjectStore<StoreCluster>.KeyOf(cluster)] = new Login(cluster.Uid(), token, user);

    public void Forget(ObjectKey key) => _logins.TryRemove(key, out _);
}
