using System.Collections.Concurrent;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>What the operator's logins got, one of each cluster. A token is good on every member for five minutes after each use, and passes are more frequent.</summary>
sealed class LoginTokens(TimeProvider time)
{
    /// <summary>A trial costs the member a tenth of a second and a line in its log.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    sealed record Login(string Uid, string Token, LoginUser User);

    sealed record Refusal(AuthSecrets Secrets, long At);

    readonly ConcurrentDictionary<ObjectKey, Login> logins = new();
    readonly ConcurrentDictionary<ObjectKey, Refusal> refusals = new();

    /// <summary>Of this very StoreCluster, and not of a former one of the same name.</summary>
    public (string Token, LoginUser User)? Of(StoreCluster cluster) =>
        logins.TryGetValue(ObjectStore<StoreCluster>.KeyOf(cluster), out var login) && login.Uid == cluster.Uid() ? (login.Token, login.User) : null;

    public void Keep(StoreCluster cluster, string token, LoginUser user) => logins[ObjectStore<StoreCluster>.KeyOf(cluster)] = new Login(cluster.Uid(), token, user);

    /// <summary>The passwords were wrong: they are not tried again for a while, unless there are others.</summary>
    public void Refuse(StoreCluster cluster, AuthSecrets secrets) => refusals[ObjectStore<StoreCluster>.KeyOf(cluster)] = new Refusal(secrets, time.GetTimestamp());

    public bool WereRefused(StoreCluster cluster, AuthSecrets secrets) =>
        refusals.TryGetValue(ObjectStore<StoreCluster>.KeyOf(cluster), out var refusal) && refusal.Secrets == secrets && time.GetElapsedTime(refusal.At) < Patience;

    public void Forget(ObjectKey key) => logins.TryRemove(key, out _);

    /// <summary>The StoreCluster is gone.</summary>
    public void ForgetAll(ObjectKey key)
    {
        Forget(key);
        refusals.TryRemove(key, out _);
    }
}
