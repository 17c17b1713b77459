using System.Buffers.Binary;
using System.Collections.Immutable;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Raft;

namespace Store.State;

/// <summary>Users, roles and permissions as applied state (contract 1.10). Each change makes a new <see cref="View"/> with a higher revision.</summary>
sealed class AuthTable(AppliedBatch batch)
{
    const byte Format = 1;
    const int RowBytes = 18;

    public AuthView View { get; private set; } = AuthView.Initial;

    public void Restore(IKeyValueEngine engine)
    {
        IEnumerable<EngineRow> Rows(byte[] kind) => engine.Scan(Table.Meta, kind, MetaKeys.EndOf(kind));
        if (engine.Get(Table.Meta, MetaKeys.Auth) is not { } row) return;
        if (row.Length == 0 || row[0] != Format) throw new StateFormatException(row.Length == 0 ? (byte)0 : row[0], Format);
        Invariant.Require(row.Length == RowBytes);
        View = new(
            row[1] == 1, BinaryPrimitives.ReadUInt64BigEndian(row.AsSpan(2)), BinaryPrimitives.ReadUInt64BigEndian(row.AsSpan(10)),
            Rows(MetaKeys.Users).Select(each => AuthUser.Decode(each.Value)).ToImmutableDictionary(user => user.Name, StringComparer.Ordinal),
            Rows(MetaKeys.Roles).Select(each => AuthRole.Decode(each.Value)).ToImmutableDictionary(role => role.Name, StringComparer.Ordinal));
    }

    /// <summary>RootUserNotExist, RootRoleNotExist. The revision stays, as in etcd.</summary>
    public StoreError Enable()
    {
        if (View.Enabled) return StoreError.None;
        if (!View.Users.TryGetValue(AuthView.Root, out var root)) return StoreError.RootUserNotExist;
        if (!root.IsRoot) return StoreError.RootRoleNotExist;
        Save(View with { Enabled = true, EnabledSince = View.Revision });
        return StoreError.None;
    }

    public void Disable()
    {
        if (View.Enabled) Advance(View with { Enabled = false });
    }

    /// <summary>UserEmpty, UserAlreadyExists.</summary>
    public StoreError AddUser(string name, ReadOnlyMemory<byte> hash, bool noPassword)
    {
        if (name.Length == 0) return StoreError.UserEmpty;
        if (View.Users.ContainsKey(name)) return StoreError.UserAlreadyExists;
        Advance(Put(View, new AuthUser(name, noPassword ? default : hash, noPassword, [], View.Revision + 1)));
        return StoreError.None;
    }

    /// <summary>UserNotFound.</summary>
    public StoreError ChangePassword(string name, ReadOnlyMemory<byte> hash)
    {
        if (!View.Users.TryGetValue(name, out var user)) return StoreError.UserNotFound;
        Advance(Put(View, user with { PasswordHash = user.NoPassword ? default : hash, PasswordSince = View.Revision + 1 }));
        return StoreError.None;
    }

    /// <summary>InvalidAuthManagement, UserNotFound.</summary>
    public StoreError DeleteUser(string name)
    {
        if (View.Enabled && name == AuthView.Root) return StoreError.InvalidAuthManagement;
        if (!View.Users.ContainsKey(name)) return StoreError.UserNotFound;
        batch.Delete(Table.Meta, MetaKeys.User(name));
        Advance(View with { Users = View.Users.Remove(name) });
        return StoreError.None;
    }

    /// <summary>UserNotFound, RoleNotFound. The role root need not have been made. A role that the user has already changes nothing.</summary>
    public StoreError GrantRole(string name, string role)
    {
        if (!View.Users.TryGetValue(name, out var user)) return StoreError.UserNotFound;
        if (role != AuthView.Root && !View.Roles.ContainsKey(role)) return StoreError.RoleNotFound;
        if (!user.Roles.Contains(role)) Advance(Put(View, user with { Roles = [.. user.Roles.Append(role).Order(AuthView.NameOrder)] }));
        return StoreError.None;
    }

    /// <summary>InvalidAuthManagement, UserNotFound, RoleNotGranted.</summary>
    public StoreError RevokeRole(string name, string role)
    {
        if (View.Enabled && name == AuthView.Root && role == AuthView.Root) return StoreError.InvalidAuthManagement;
        if (!View.Users.TryGetValue(name, out var user)) return StoreError.UserNotFound;
        if (!user.Roles.Contains(role)) return StoreError.RoleNotGranted;
        Advance(Put(View, user with { Roles = user.Roles.Remove(role) }));
        return StoreError.None;
    }

    /// <summary>RoleEmpty, RoleAlreadyExists.</summary>
    public StoreError AddRole(string name)
    {
        if (name.Length == 0) return StoreError.RoleEmpty;
        if (View.Roles.ContainsKey(name)) return StoreError.RoleAlreadyExists;
        Advance(Put(View, new AuthRole(name, [])));
        return StoreError.None;
    }

    /// <summary>InvalidAuthManagement, RoleNotFound. Users lose the role, too.</summary>
    public StoreError DeleteRole(string name)
    {
        if (View.Enabled && name == AuthView.Root) return StoreError.InvalidAuthManagement;
        if (!View.Roles.ContainsKey(name)) return StoreError.RoleNotFound;
        batch.Delete(Table.Meta, MetaKeys.Role(name));
        var next = View with { Roles = View.Roles.Remove(name) };
        foreach (var user in View.UsersInOrder)
            if (user.Roles.Contains(name)) next = Put(next, user with { Roles = user.Roles.Remove(name) });
        Advance(next);
        return StoreError.None;
    }

    /// <summary>PermissionNotGiven, InvalidAuthManagement for a range that could hold nothing, RoleNotFound. A permission for the same range is replaced.</summary>
    public StoreError GrantPermission(AuthRoleGrantPermissionRequest request)
    {
        if (request.Perm is not { } given) return StoreError.PermissionNotGiven;
        if (!IsRange(given.Key.Span, given.RangeEnd.Span)) return StoreError.InvalidAuthManagement;
        if (!View.Roles.TryGetValue(request.Name, out var role)) return StoreError.RoleNotFound;
        var permission = new RangePermission(given.PermType, given.Key, given.RangeEnd);
        var same = role.Permissions.FirstOrDefault(each => each.Key == given.Key && each.RangeEnd == given.RangeEnd);
        var all = same is null
            ? [.. role.Permissions.Append(permission).OrderBy(each => each.Key, KeyOrder)]
            : role.Permissions.Replace(same, permission);
        Advance(Put(View, role with { Permissions = all }));
        return StoreError.None;
    }

    /// <summary>RoleNotFound, PermissionNotGranted.</summary>
    public StoreError RevokePermission(AuthRoleRevokePermissionRequest request)
    {
        if (!View.Roles.TryGetValue(request.Role, out var role)) return StoreError.RoleNotFound;
        var left = role.Permissions.RemoveAll(each => each.Key == request.Key && each.RangeEnd == request.RangeEnd);
        if (left.Length == role.Permissions.Length) return StoreError.PermissionNotGranted;
        Advance(Put(View, role with { Permissions = left }));
        return StoreError.None;
    }

    static readonly IComparer<ByteString> KeyOrder = Comparer<ByteString>.Create((a, b) => a.Span.SequenceCompareTo(b.Span));

    static bool IsRange(ReadOnlySpan<byte> key, ReadOnlySpan<byte> rangeEnd) =>
        !key.IsEmpty && (rangeEnd.IsEmpty || rangeEnd is [0] || key.SequenceCompareTo(rangeEnd) < 0);

    AuthView Put(AuthView view, AuthUser user)
    {
        batch.Put(Table.Meta, MetaKeys.User(user.Name), user.Encode());
        return view with { Users = view.Users.SetItem(user.Name, user) };
    }

    AuthView Put(AuthView view, AuthRole role)
    {
        batch.Put(Table.Meta, MetaKeys.Role(role.Name), role.Encode());
        return view with { Roles = view.Roles.SetItem(role.Name, role) };
    }

    void Advance(AuthView next) => Save(next with { Revision = View.Revision + 1 });

    void Save(AuthView next)
    {
        View = next;
        batch.Put(Table.Meta, MetaKeys.Auth, Encode(next));
    }

    internal static byte[] Encode(AuthView view)
    {
        var row = new byte[RowBytes];
        row[0] = Format;
        row[1] = view.Enabled ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64BigEndian(row.AsSpan(2), view.Revision);
        BinaryPrimitives.WriteUInt64BigEndian(row.AsSpan(10), view.EnabledSince);
        return row;
    }
}
