namespace Store.State;

/// <summary>Who asks, and the auth revision at which that was established; nobody has an empty name and revision 0.</summary>
public readonly record struct Credentials(string? User, ulong Revision)
{
    public static readonly Credentials Nobody;

    public bool IsNobody => string.IsNullOrEmpty(User);
}

/// <summary>The one rule of who may do what (contract 1.10): asked at the door, and again when the command is applied, by then perhaps of other users and roles.</summary>
public static class Authorization
{
    /// <summary>
    /// UserEmpty, AuthRevisionOld, PermissionDenied. That the revision is old is only held against accesses to keys, as in etcd: changes of users and roles that
    /// one administrator makes at a time would get into each other's way.
    /// </summary>
    /// <param name="keysOf">The keys that hang on a lease; none when there is no such lease.</param>
    public static StoreError Check(AuthView auth, Credentials who, RequiredAccess required, Func<LeaseId, IEnumerable<ReadOnlyMemory<byte>>> keysOf)
    {
        if (!auth.Enabled || required.Kind == AccessKind.Open) return StoreError.None;
        if (who.IsNobody || who.Revision == 0) return StoreError.UserEmpty;
        if (required.Kind == AccessKind.Keys && who.Revision < auth.Revision) return StoreError.AuthRevisionOld;
        if (!auth.Users.TryGetValue(who.User!, out var user)) return StoreError.PermissionDenied;
        if (user.IsRoot) return StoreError.None;
        var allowed = required.Kind switch
        {
            AccessKind.Authenticated => true,
            AccessKind.ReadUser => user.Name == required.Name,
            AccessKind.ReadRole => user.Roles.Contains(required.Name),
            AccessKind.Keys => MayAccess(auth.RightsOf(user), required, keysOf),
            _ => false,
        };
        return allowed ? StoreError.None : StoreError.PermissionDenied;
    }

    static bool MayAccess(KeyRights rights, RequiredAccess required, Func<LeaseId, IEnumerable<ReadOnlyMemory<byte>>> keysOf)
    {
        foreach (var (writes, key, rangeEnd) in required.Keys)
            if (!Ranges(rights, writes).Cover(key.Span, rangeEnd.Span)) return false;
        foreach (var (writes, lease) in required.Leases)
        {
            foreach (var key in keysOf(lease))
                if (!Ranges(rights, writes).Cover(key.Span, [])) return false;
        }
        return true;
    }

    static KeyRanges Ranges(KeyRights rights, bool writes) => writes ? rights.Writable : rights.Readable;
}
