using System.Buffers;
using System.Collections.Frozen;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.State;
using AlarmAction = Store.Protocol.Etcdserverpb.AlarmRequest.Types.AlarmAction;

namespace Store.Server;

/// <summary>Puts the door in front of the unary methods. A method without a line in the table is refused to everybody but root.</summary>
sealed class GuardedMethods(AccessControl access, ServerOptions options)
{
    readonly FrozenDictionary<string, Func<ReadOnlySequence<byte>, Guard>> guards = Table(options.TxnOperationsMax);

    public UnaryMethod Guard(UnaryMethod method) =>
        new Guarded(method, access, guards.GetValueOrDefault(method.Path, static _ => new(RequiredAccess.Administrative)), options.RequestBytesMax);

    /// <summary>What a request could be refused for by looking at it alone comes before who asks: such requests are let through to hear it (contract 1.17).</summary>
    static FrozenDictionary<string, Func<ReadOnlySequence<byte>, Guard>> Table(int txnOperationsMax)
    {
        var table = new Dictionary<string, Func<ReadOnlySequence<byte>, Guard>>();
        void Add<TRequest>(string method, MessageParser<TRequest> parser, Func<TRequest, Guard> guard)
            where TRequest : IMessage<TRequest> => table.Add("/etcdserverpb." + method, message => guard(parser.ParseFrom(message)));
        void AddFixed(RequiredAccess required, params ReadOnlySpan<string> methods)
        {
            foreach (var method in methods) table.Add("/etcdserverpb." + method, _ => new(required));
        }

        Add("KV/Range", RangeRequest.Parser, request => RequestValidation.CheckRange(request) != StoreError.None ? Server.Guard.Open : new(RequiredAccess.Of(request), Reads: true));
        Add("KV/Put", PutRequest.Parser, request => RequestValidation.CheckPut(request) != StoreError.None ? Server.Guard.Open : new(RequiredAccess.Of(request)));
        Add("KV/DeleteRange", DeleteRangeRequest.Parser, request => RequestValidation.CheckDeleteRange(request) != StoreError.None ? Server.Guard.Open : new(RequiredAccess.Of(request)));
        Add("KV/Txn", TxnRequest.Parser, request => RequestValidation.CheckTxn(request, txnOperationsMax) != StoreError.None
            ? Server.Guard.Open
            : new(RequiredAccess.Of(request), Reads: RequestValidation.IsReadOnly(request), ReadsToken: true));
        Add("Lease/LeaseRevoke", LeaseRevokeRequest.Parser, request => new(RequiredAccess.WriteLease(new(request.ID))));
        Add("Lease/LeaseTimeToLive", LeaseTimeToLiveRequest.Parser, request => new(request.Keys ? RequiredAccess.ReadLeases([new(request.ID)]) : RequiredAccess.Authenticated, Reads: request.Keys));
        Add("Maintenance/Alarm", AlarmRequest.Parser, request => new(request.Action == AlarmAction.Get ? RequiredAccess.Authenticated : RequiredAccess.Administrative));
        Add("Auth/UserGet", AuthUserGetRequest.Parser, request => new(RequiredAccess.ReadUser(request.Name)));
        Add("Auth/RoleGet", AuthRoleGetRequest.Parser, request => new(RequiredAccess.ReadRole(request.Role)));
        table.Add("/etcdserverpb.Lease/LeaseLeases", _ => new(RequiredAccess.ReadEveryLease, Reads: true));
        AddFixed(RequiredAccess.Open, "Auth/Authenticate", "Auth/AuthStatus");
        // A time to live is looked at when the lease is granted, after who asks.
        AddFixed(RequiredAccess.Authenticated, "Lease/LeaseGrant", "Maintenance/Status", "Cluster/MemberList");
        // These come to the door with each step they take (WaitingLine).
        foreach (var method in (ReadOnlySpan<string>)["/v3lockpb.Lock/Lock", "/v3lockpb.Lock/Unlock", "/v3electionpb.Election/Campaign", "/v3electionpb.Election/Proclaim",
            "/v3electionpb.Election/Leader", "/v3electionpb.Election/Resign"]) table.Add(method, static _ => Server.Guard.Open);
        return table.ToFrozenDictionary(StringComparer.Ordinal);
    }

    sealed class Guarded(UnaryMethod inner, AccessControl access, Func<ReadOnlySequence<byte>, Guard> guardOf, int requestBytesMax) : UnaryMethod(inner.Path)
    {
        public override ValueTask<Answer> CallAsync(ReadOnlySequence<byte> message, Caller caller)
        {
            if (access.IsOff) return inner.CallAsync(message, caller);
            var guard = guardOf(message);
            return guard.IsForTheLog && message.Length > requestBytesMax ? access.RefuseTooLargeAsync(caller.Http) : CallGuardedAsync(guard, message.ToArray(), caller);
        }

        /// <summary>On a copy: the message's own memory is the connection's again while the door is waited for.</summary>
        ValueTask<Answer> CallGuardedAsync(Guard guard, byte[] message, Caller caller) =>
            access.PassAsync(caller.Http, guard, signed => inner.CallAsync(new(message), signed));
    }
}

/// <param name="Reads">The answer was read outside the log: it counts only when users and roles are still the same afterwards.</param>
/// <param name="ReadsToken">Also where nothing is required: a token that is nobody's is refused, and one that has become old.</param>
readonly record struct Guard(RequiredAccess Required, bool Reads = false, bool ReadsToken = false)
{
    public static readonly Guard Open = new(RequiredAccess.Open);

    /// <summary>What is read or open to everybody never becomes a command.</summary>
    public bool IsForTheLog => !Reads && Required.Kind != AccessKind.Open;
}
