using System.Security.Cryptography;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Carries out a step about authentication, with the passwords as the Secrets hold them now: should they differ from those that the step was decided from,
/// the next pass finds out and sets things right.</summary>
sealed class AuthExecutor(KubeApi api, MemberClient members, UserClient users, AuthObserver observer, LoginTokens tokens)
{
    /// <returns>Null, or what went wrong.</returns>
    public async Task<string?> ExecuteAsync(ClusterView view, Step.Authentication step, CancellationToken cancellation)
    {
        if (await HasChangedAsync(view, cancellation)) return null;
        if (step is Step.CreateLogin) return await CreateLoginAsync(view, cancellation);
        var (address, token) = (AddressOf(view), observer.TokenOf(view.Cluster));
        if (address is null) return "no member answers";
        if (step is Step.DeleteLogin delete) return await DeleteLoginAsync(view, address, delete, cancellation);
        if (step is Step.DisableAuth) return await users.DisableAsync(address, token, cancellation);
        if (await observer.ReadSecretsAsync(view.Cluster, cancellation) is not { RootPassword: { } root, LoginPassword: { } login }) return "a Secret with a password is gone";
        return step switch
        {
            Step.EnableAuth => await users.KeepAdministratorAsync(address, null, UserClient.Root, root, cancellation)
                ?? await users.KeepAdministratorAsync(address, null, OperatorLogin.User, login, cancellation)
                ?? await users.EnableAsync(address, cancellation),
            Step.RestoreLogin => await RestoreAsync(view, address, token, login, cancellation),
            Step.SetRootPassword => await users.SetPasswordAsync(address, token, UserClient.Root, root, cancellation),
            _ => throw new InvalidOperationException($"{step.GetType().Name} is no step about authentication"),
        };
    }

    /// <summary>Two leaders at once, for the moment until one of them learns that it leads no more:
    ///   1. authentication is wanted no more; the one that knows turns it off, and takes its note out of status last;
    ///   2. the other, whose cache is older, sees it off and would turn it on again, with no note left that it has to be turned off.</summary>
    async Task<bool> HasChangedAsync(ClusterView view, CancellationToken cancellation)
    {
        var now = await api.GetAsync<StoreCluster>(ObjectStore<StoreCluster>.KeyOf(view.Cluster), cancellation);
        return now.Value is not { } cluster || cluster.Metadata.Uid != view.Cluster.Metadata.Uid || cluster.Metadata.Generation != view.Cluster.Metadata.Generation
            || cluster.Status?.Auth is null;
    }

    async Task<string?> CreateLoginAsync(ClusterView view, CancellationToken cancellation)
    {
        var answer = await api.CreateAsync(OperatorLogin.Build(view.Cluster, RandomNumberGenerator.GetHexString(32, lowercase: true)), cancellation);
        // Where the former one was lost, the user has its password: the next login finds out.
        tokens.Forget(ObjectStore<StoreCluster>.KeyOf(view.Cluster));
        return answer.Error is null or { Conflict: true } ? null : answer.Error.ToString();
    }

    async Task<string?> RestoreAsync(ClusterView view, MemberEndpoint address, string? token, string password, CancellationToken cancellation)
    {
        if (await users.KeepAdministratorAsync(address, token, OperatorLogin.User, password, cancellation) is { } error) return error;
        tokens.Forget(ObjectStore<StoreCluster>.KeyOf(view.Cluster));
        return null;
    }

    async Task<string?> DeleteLoginAsync(ClusterView view, MemberEndpoint address, Step.DeleteLogin step, CancellationToken cancellation)
    {
        if (await users.DeleteAsync(address, OperatorLogin.User, cancellation) is { } error) return error;
        tokens.Forget(ObjectStore<StoreCluster>.KeyOf(view.Cluster));
        var refused = await api.DeleteAsync<V1Secret>(new ObjectKey(view.Namespace, Names.OperatorLogin(view.Name)), step.SecretUid, cancellation);
        return refused is null or { NotFound: true } or { Conflict: true } ? null : refused.ToString();
    }

    /// <summary>Of a voter that knows a leader.</summary>
    MemberEndpoint? AddressOf(ClusterView view) => view.Reports
        .Where(report => report.Value is { Leader: not 0, Learner: false }).OrderByDescending(report => report.Value.Leader == report.Value.MemberId).ThenBy(report => report.Key.Number)
        .Select(report => members.EndpointOf(view, report.Key)).FirstOrDefault(address => address is not null);
}
