using System.Text;
using k8s.Models;

namespace Operator.Core;

/// <summary>What the operator logs in with where authentication is on: a user of its own with the role root, so that root's password can be changed by anybody,
/// lost or forgotten, and members are still looked after.</summary>
public static class OperatorLogin
{
    public const string User = "store-operator";

    public const string Key = "password";

    public static V1Secret Build(StoreCluster cluster, string password) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta
        {
            Name = Names.OperatorLogin(cluster.Metadata.Name),
            NamespaceProperty = cluster.Metadata.NamespaceProperty,
            Labels = Labels.OfCluster(cluster.Metadata.Name),
            OwnerReferences = [Labels.Owner(cluster)],
        },
        Type = "Opaque",
        Immutable = true,
        Data = new Dictionary<string, byte[]>
        {
            ["username"] = Encoding.UTF8.GetBytes(User),
            [Key] = Encoding.UTF8.GetBytes(password),
        },
    };
}
