using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;

namespace Store.State;

/// <summary>Users, roles and whether they count, at one moment. Part of every <see cref="StateView"/>, so that a read and its permission are of the same state.</summary>
/// <param name="Revision">Rises with every change of users, roles and permissions; starts at 1.</param>
/// <param name="EnabledSince">The revision at which authentication was last turned on: tokens from before are void.</param>
public sealed record AuthView(
    bool Enabled, ulong Revision, ulong EnabledSince, ImmutableDictionary<string, AuthUser> Users, ImmutableDictionary<string, AuthRole> Roles)
{
    /// <summary>The name of the user that must exist, and of the role that may do everything.</summary>
    public const string Root = "root";

    public static readonly AuthView Initial = new(false, 1, 0, ImmutableDictionary<string, AuthUser>.Empty, ImmutableDictionary<string, AuthRole>.Empty);

    /// <summary>etcd lists and stores names in the order of their bytes.</summary>
    public static readonly IComparer<string> NameOrder =
        Comparer<string>.Create((a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));

    /// <summary>Merged when a user first asks; a change of users or roles begins with an empty one.</summary>
    readonly ConcurrentDictionary<string, KeyRights> rights = new(StringComparer.Ordinal);

    AuthView(AuthView other)
    {
        (Enabled, Revision, EnabledSince, Users, Roles) = (other.Enabled, other.Revision, other.EnabledSince, other.Users, other.Roles);
        rights = new(StringComparer.Ordinal);
    }

    public IEnumerable<AuthUser> UsersInOrder => Users.Values.OrderBy(user => user.Name, NameOrder);

    public IEnumerable<AuthRole> RolesInOrder => Roles.Values.OrderBy(role => role.Name, NameOrder);

    /// <summary>Whether somebody who logged in as the user at the auth revision is still logged in.</summary>
    public bool IsLoggedIn(string user, ulong revision) =>
        Enabled && revision >= EnabledSince && Users.TryGetValue(user, out var known) && revision >= known.PasswordSince;

    internal KeyRights RightsOf(AuthUser user) => rights.GetOrAdd(user.Name, static (_, given) => given.View.Merge(given.User), (View: this, User: user));

    KeyRights Merge(AuthUser user)
    {
        var permissions = user.Roles.SelectMany(name => Roles.TryGetValue(name, out var role) ? role.Permissions : []).ToList();
        return new(KeyRanges.Of(permissions.Where(each => each.Reads)), KeyRanges.Of(permissions.Where(each => each.Writes)));
    }
}

sealed record KeyRights(KeyRanges Readable, KeyRanges Writable);
