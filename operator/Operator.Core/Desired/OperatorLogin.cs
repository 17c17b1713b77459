using k8s.Models;

namespace Operator.Core;

/// <summary>What the operator logs in with where authentication is on: a user of its own with the role root, so that root's password can be changed by anybody,
/// lost or forgotten, and members are still looked after.</summary>
public static class OperatorLogin
{
    public const string User = "store-operator";

    public const string Key = "password";

    public static V1Secret Build(StoreCluster cluster, string password)
    {
        var secret = OwnedSecret.Build(cluster, Names.OperatorLogin(cluster.Metadata.Name), "Opaque", version: null, new() { ["username"] = User, [Key] = password });
        secret.Immutable = true;
        return secret;
    }
}
