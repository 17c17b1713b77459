using System.Collections.Immutable;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Case = Store.Protocol.Replicated.Command.OperationOneofCase;

namespace Store.State;

/// <summary>What somebody must be, or be allowed, to have an operation done.</summary>
public enum AccessKind
{
    /// <summary>Nothing: answered to anybody.</summary>
    Open,
    /// <summary>Any user.</summary>
    Authenticated,
    /// <summary>A user with the role root.</summary>
    Administrative,
    /// <summary>The user of that name, or root.</summary>
    ReadUser,
    /// <summary>A user with the role of that name, or root.</summary>
    ReadRole,
    /// <summary>Permissions for all keys and leases named.</summary>
    Keys,
}

/// <param name="RangeEnd">As on the wire: empty for a single key, one zero byte for no end.</param>
public readonly record struct KeyAccess(bool Writes, ByteString Key, ByteString RangeEnd);

/// <summary>All keys that hang on the lease when it is checked.</summary>
public readonly record struct LeaseAccess(bool Writes, LeaseId Lease);

/// <summary>
/// A request as far as permission goes. Transactions are flattened: whoever may not do one of the operations, in whichever branch and however deep, may do none.
/// The door and the state machine make it from the same requests and ask <see cref="Authorization"/>.
/// </summary>
public sealed record RequiredAccess(AccessKind Kind)
{
    public static readonly RequiredAccess Open = new(AccessKind.Open);
    public static readonly RequiredAccess Authenticated = new(AccessKind.Authenticated);
    public static readonly RequiredAccess Administrative = new(AccessKind.Administrative);
    public static readonly RequiredAccess ReadEveryLease = new(AccessKind.Keys) { EveryLease = true };

    public ImmutableArray<KeyAccess> Keys { get; init; } = [];

    public ImmutableArray<LeaseAccess> Leases { get; init; } = [];

    /// <summary>Whoever checks fills in all leases there are.</summary>
    public bool EveryLease { get; init; }

    /// <summary>Of the user or role that is looked at.</summary>
    public string Name { get; init; } = "";

    public static RequiredAccess ReadUser(string name) => new(AccessKind.ReadUser) { Name = name };

    public static RequiredAccess ReadRole(string name) => new(AccessKind.ReadRole) { Name = name };

    public static RequiredAccess Read(ByteString key, ByteString rangeEnd) => new(AccessKind.Keys) { Keys = [new(false, key, rangeEnd)] };

    public static RequiredAccess Of(RangeRequest request) => Read(request.Key, request.RangeEnd);

    public static RequiredAccess Of(PutRequest request) => Collect(found => found.Add(request));

    public static RequiredAccess Of(DeleteRangeRequest request) => Collect(found => found.Add(request));

    /// <summary>A transaction without operations is nobody's concern, as in etcd.</summary>
    public static RequiredAccess Of(TxnRequest request)
    {
        var operation = Collect(found => found.Add(request));
        return operation.Keys.IsEmpty ? Open : operation;
    }

    public static RequiredAccess WriteLease(LeaseId lease) => new(AccessKind.Keys) { Leases = [new(true, lease)] };

    public static RequiredAccess ReadLeases(IEnumerable<LeaseId> leases) => new(AccessKind.Keys) { Leases = [.. leases.Select(lease => new LeaseAccess(false, lease))] };

    /// <summary>
    /// Of a command in the log; null for what nobody has to be asked about. Revocations, compactions, alarms and grants without a user are the cluster's own, or
    /// were let in by a door behind which authentication was still off.
    /// </summary>
    internal static RequiredAccess? Of(Command command) => command.OperationCase switch
    {
        Case.Put => Of(command.Put),
        Case.DeleteRange => Of(command.DeleteRange),
        Case.Txn => Of(command.Txn),
        Case.LeaseRevoke when command.Username.Length > 0 => WriteLease(new(command.LeaseRevoke.ID)),
        Case.LeaseGrant when command.Username.Length > 0 => Authenticated,
        Case.Compaction or Case.Alarm or Case.Downgrade when command.Username.Length > 0 => Administrative,
        Case.AuthEnable or Case.AuthDisable or Case.UserAdd or Case.UserChangePassword or Case.UserDelete or Case.UserGrantRole or Case.UserRevokeRole
            or Case.RoleAdd or Case.RoleDelete or Case.RoleGrantPermission or Case.RoleRevokePermission => Administrative,
        _ => null,
    };

    static RequiredAccess Collect(Action<Accesses> collect)
    {
        var found = new Accesses();
        collect(found);
        return new(AccessKind.Keys) { Keys = found.Keys.DrainToImmutable(), Leases = found.Leases.DrainToImmutable() };
    }

    sealed class Accesses
    {
        public ImmutableArray<KeyAccess>.Builder Keys { get; } = ImmutableArray.CreateBuilder<KeyAccess>();

        public ImmutableArray<LeaseAccess>.Builder Leases { get; } = ImmutableArray.CreateBuilder<LeaseAccess>();

        /// <summary>Who may not write the keys of a lease could not revoke it, and so must not hang a further key on it.</summary>
        public void Add(PutRequest put)
        {
            Keys.Add(new(true, put.Key, ByteString.Empty));
            if (put.Lease != 0) Leases.Add(new(true, new(put.Lease)));
            if (put.PrevKv) Keys.Add(new(false, put.Key, ByteString.Empty));
        }

        public void Add(DeleteRangeRequest delete)
        {
            Keys.Add(new(true, delete.Key, delete.RangeEnd));
            if (delete.PrevKv) Keys.Add(new(false, delete.Key, delete.RangeEnd));
        }

        /// <summary>A comparison tells about a key, too.</summary>
        public void Add(TxnRequest txn)
        {
            foreach (var compare in txn.Compare) Keys.Add(new(false, compare.Key, compare.RangeEnd));
            foreach (var operation in txn.Success) Add(operation);
            foreach (var operation in txn.Failure) Add(operation);
        }

        void Add(RequestOp operation)
        {
            if (operation.RequestRange is { } range) Keys.Add(new(false, range.Key, range.RangeEnd));
            if (operation.RequestPut is { } put) Add(put);
            if (operation.RequestDeleteRange is { } delete) Add(delete);
            if (operation.RequestTxn is { } nested) Add(nested);
        }
    }
}
