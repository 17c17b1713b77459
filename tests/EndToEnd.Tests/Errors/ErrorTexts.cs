namespace EndToEnd.Tests;

/// <summary>The errors that etcd's clients know by their texts (contract 1.17): code and text, as they must come over the wire.</summary>
static class ErrorTexts
{
    public const string Table = """
        InvalidArgument: etcdserver: key is not provided
        InvalidArgument: etcdserver: key not found
        InvalidArgument: etcdserver: value is provided
        InvalidArgument: etcdserver: lease is provided
        InvalidArgument: etcdserver: too many operations in txn request
        InvalidArgument: etcdserver: duplicate key given in txn request
        InvalidArgument: etcdserver: invalid client api version
        InvalidArgument: etcdserver: invalid sort option
        OutOfRange: etcdserver: mvcc: required revision has been compacted
        OutOfRange: etcdserver: mvcc: required revision is a future revision
        ResourceExhausted: etcdserver: mvcc: database space exceeded
        NotFound: etcdserver: requested lease not found
        FailedPrecondition: etcdserver: lease already exists
        OutOfRange: etcdserver: too large lease TTL
        Cancelled: etcdserver: watch canceled
        FailedPrecondition: etcdserver: member ID already exist
        FailedPrecondition: etcdserver: Peer URLs already exists
        FailedPrecondition: etcdserver: re-configuration failed due to not enough started members
        InvalidArgument: etcdserver: given member URLs are invalid
        NotFound: etcdserver: member not found
        FailedPrecondition: etcdserver: can only promote a learner member
        FailedPrecondition: etcdserver: can only promote a learner member which is in sync with leader
        FailedPrecondition: etcdserver: too many learner members in cluster
        FailedPrecondition: etcdserver: cluster ID mismatch
        InvalidArgument: etcdserver: request is too large
        ResourceExhausted: etcdserver: too many requests
        FailedPrecondition: etcdserver: root user does not exist
        FailedPrecondition: etcdserver: root user does not have root role
        FailedPrecondition: etcdserver: user name already exists
        InvalidArgument: etcdserver: user name is empty
        FailedPrecondition: etcdserver: user name not found
        FailedPrecondition: etcdserver: role name already exists
        FailedPrecondition: etcdserver: role name not found
        InvalidArgument: etcdserver: role name is empty
        InvalidArgument: etcdserver: authentication failed, invalid user ID or password
        InvalidArgument: etcdserver: permission not given
        PermissionDenied: etcdserver: permission denied
        FailedPrecondition: etcdserver: role is not granted to the user
        FailedPrecondition: etcdserver: permission is not granted to the role
        FailedPrecondition: etcdserver: authentication is not enabled
        Unauthenticated: etcdserver: invalid auth token
        InvalidArgument: etcdserver: invalid auth management
        InvalidArgument: etcdserver: revision of auth store is old
        Unavailable: etcdserver: no leader
        FailedPrecondition: etcdserver: not leader
        Unavailable: etcdserver: leader changed
        FailedPrecondition: etcdserver: not capable
        Unavailable: etcdserver: server stopped
        Unavailable: etcdserver: request timed out
        Unavailable: etcdserver: request timed out, possibly due to previous leader failure
        Unavailable: etcdserver: request timed out, possibly due to connection lost
        Unavailable: etcdserver: request timed out, waiting for the applied index took too long
        Unavailable: etcdserver: unhealthy cluster
        DataLoss: etcdserver: corrupt cluster
        FailedPrecondition: etcdserver: rpc not supported for learner
        FailedPrecondition: etcdserver: bad leader transferee
        InvalidArgument: etcdserver: wrong downgrade target version format
        InvalidArgument: etcdserver: invalid downgrade target version
        FailedPrecondition: etcdserver: cluster version not found during downgrade
        FailedPrecondition: etcdserver: cluster has a downgrade job in progress
        FailedPrecondition: etcdserver: no inflight downgrade job
        Cancelled: etcdserver: request canceled
        DeadlineExceeded: etcdserver: context deadline exceeded
        """;

    /// <summary>What nobody can be brought to hear, and why.</summary>
    public static readonly IReadOnlyDictionary<string, string> Unheard = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Cancelled: etcdserver: watch canceled"] = "said to a client that has gone",
        ["Cancelled: etcdserver: request canceled"] = "said to a client that has gone",
        ["DeadlineExceeded: etcdserver: context deadline exceeded"] = "the deadline is the client's, who says so to itself",
        ["FailedPrecondition: etcdserver: member ID already exist"] = "ids of new members are random",
        ["FailedPrecondition: etcdserver: cluster ID mismatch"] = "etcd has the text and no place that says it",
        ["FailedPrecondition: etcdserver: not capable"] = "of clusters with members older than etcd 3.0",
        ["FailedPrecondition: etcdserver: cluster version not found during downgrade"] = "members have a cluster version before they serve clients",
        ["Unavailable: etcdserver: leader changed"] = "reads go on under the next leader; for one whose time is up meanwhile see ReplicaTests",
        ["Unavailable: etcdserver: request timed out, waiting for the applied index took too long"] = "what was confirmed is applied before it is answered; there is no second wait",
        ["Unavailable: etcdserver: request timed out, possibly due to connection lost"] = "needs a connection to the leader that breaks with the request in it and is back before an election: see ConnectionLossTests",
    };
}
