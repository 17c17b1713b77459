using System.Collections.Frozen;
using Grpc.Core;
using Store.State;

namespace Store.Server;

/// <summary>
/// The one table from this store's errors to gRPC codes and etcd's exact texts (contract 1.17). Clients of etcd compare the texts byte by byte.
/// </summary>
public static class StatusMapping
{
    static readonly FrozenDictionary<StoreError, Status> Rows = new Dictionary<StoreError, Status>
    {
        { StoreError.KeyNotProvided, Row(StatusCode.InvalidArgument, "key is not provided") },
        { StoreError.KeyNotFound, Row(StatusCode.InvalidArgument, "key not found") },
        { StoreError.ValueProvided, Row(StatusCode.InvalidArgument, "value is provided") },
        { StoreError.LeaseProvided, Row(StatusCode.InvalidArgument, "lease is provided") },
        { StoreError.TooManyOperations, Row(StatusCode.InvalidArgument, "too many operations in txn request") },
        { StoreError.DuplicateKey, Row(StatusCode.InvalidArgument, "duplicate key given in txn request") },
        { StoreError.InvalidClientApiVersion, Row(StatusCode.InvalidArgument, "invalid client api version") },
        { StoreError.InvalidSortOption, Row(StatusCode.InvalidArgument, "invalid sort option") },
        // Without etcd's prefix: clients fall back to unary ranges by the code.
        { StoreError.StreamSorted, new(StatusCode.Unimplemented, "RangeStream does not support custom sort orders") },
        { StoreError.StreamFiltered, new(StatusCode.Unimplemented, "RangeStream does not support revision filters") },
        { StoreError.Compacted, Row(StatusCode.OutOfRange, "mvcc: required revision has been compacted") },
        { StoreError.FutureRevision, Row(StatusCode.OutOfRange, "mvcc: required revision is a future revision") },
        { StoreError.NoSpace, Row(StatusCode.ResourceExhausted, "mvcc: database space exceeded") },
        { StoreError.LeaseNotFound, Row(StatusCode.NotFound, "requested lease not found") },
        { StoreError.LeaseExists, Row(StatusCode.FailedPrecondition, "lease already exists") },
        { StoreError.LeaseTtlTooLarge, Row(StatusCode.OutOfRange, "too large lease TTL") },
        { StoreError.WatchCanceled, Row(StatusCode.Cancelled, "watch canceled") },
        { StoreError.MemberExists, Row(StatusCode.FailedPrecondition, "member ID already exist") },
        { StoreError.PeerUrlExists, Row(StatusCode.FailedPrecondition, "Peer URLs already exists") },
        { StoreError.MemberNotEnoughStarted, Row(StatusCode.FailedPrecondition, "re-configuration failed due to not enough started members") },
        { StoreError.MemberBadUrls, Row(StatusCode.InvalidArgument, "given member URLs are invalid") },
        { StoreError.MemberNotFound, Row(StatusCode.NotFound, "member not found") },
        { StoreError.MemberNotLearner, Row(StatusCode.FailedPrecondition, "can only promote a learner member") },
        { StoreError.LearnerNotReady, Row(StatusCode.FailedPrecondition, "can only promote a learner member which is in sync with leader") },
        { StoreError.TooManyLearners, Row(StatusCode.FailedPrecondition, "too many learner members in cluster") },
        { StoreError.ClusterIdMismatch, Row(StatusCode.FailedPrecondition, "cluster ID mismatch") },
        { StoreError.RequestTooLarge, Row(StatusCode.InvalidArgument, "request is too large") },
        { StoreError.TooManyRequests, Row(StatusCode.ResourceExhausted, "too many requests") },
        { StoreError.RootUserNotExist, Row(StatusCode.FailedPrecondition, "root user does not exist") },
        { StoreError.RootRoleNotExist, Row(StatusCode.FailedPrecondition, "root user does not have root role") },
        { StoreError.UserAlreadyExists, Row(StatusCode.FailedPrecondition, "user name already exists") },
        { StoreError.UserEmpty, Row(StatusCode.InvalidArgument, "user name is empty") },
        { StoreError.UserNotFound, Row(StatusCode.FailedPrecondition, "user name not found") },
        { StoreError.RoleAlreadyExists, Row(StatusCode.FailedPrecondition, "role name already exists") },
        { StoreError.RoleNotFound, Row(StatusCode.FailedPrecondition, "role name not found") },
        { StoreError.RoleEmpty, Row(StatusCode.InvalidArgument, "role name is empty") },
        { StoreError.AuthFailed, Row(StatusCode.InvalidArgument, "authentication failed, invalid user ID or password") },
        { StoreError.PermissionNotGiven, Row(StatusCode.InvalidArgument, "permission not given") },
        { StoreError.PermissionDenied, Row(StatusCode.PermissionDenied, "permission denied") },
        { StoreError.RoleNotGranted, Row(StatusCode.FailedPrecondition, "role is not granted to the user") },
        { StoreError.PermissionNotGranted, Row(StatusCode.FailedPrecondition, "permission is not granted to the role") },
        { StoreError.AuthNotEnabled, Row(StatusCode.FailedPrecondition, "authentication is not enabled") },
        { StoreError.InvalidAuthToken, Row(StatusCode.Unauthenticated, "invalid auth token") },
        { StoreError.InvalidAuthManagement, Row(StatusCode.InvalidArgument, "invalid auth management") },
        { StoreError.AuthRevisionOld, Row(StatusCode.InvalidArgument, "revision of auth store is old") },
        // These etcd passes on as its libraries word them.
        { StoreError.NoPasswordUser, new(StatusCode.Unknown, "auth: authentication failed, password was given for no password user") },
        { StoreError.PasswordTooLong, new(StatusCode.Unknown, "bcrypt: password length exceeds 72 bytes") },
        { StoreError.TokenVerifyOnly, new(StatusCode.Unknown, "auth: token signing attempted with verify-only key") },
        { StoreError.NoLeader, Row(StatusCode.Unavailable, "no leader") },
        { StoreError.NotLeader, Row(StatusCode.FailedPrecondition, "not leader") },
        { StoreError.LeaderChanged, Row(StatusCode.Unavailable, "leader changed") },
        { StoreError.NotCapable, Row(StatusCode.FailedPrecondition, "not capable") },
        { StoreError.Stopped, Row(StatusCode.Unavailable, "server stopped") },
        { StoreError.Timeout, Row(StatusCode.Unavailable, "request timed out") },
        { StoreError.TimeoutDueToLeaderFail, Row(StatusCode.Unavailable, "request timed out, possibly due to previous leader failure") },
        { StoreError.TimeoutDueToConnectionLost, Row(StatusCode.Unavailable, "request timed out, possibly due to connection lost") },
        { StoreError.TimeoutWaitAppliedIndex, Row(StatusCode.Unavailable, "request timed out, waiting for the applied index took too long") },
        { StoreError.UnhealthyCluster, Row(StatusCode.Unavailable, "unhealthy cluster") },
        { StoreError.CorruptCluster, Row(StatusCode.DataLoss, "corrupt cluster") },
        { StoreError.NotSupportedForLearner, Row(StatusCode.FailedPrecondition, "rpc not supported for learner") },
        { StoreError.BadLeaderTransferee, Row(StatusCode.FailedPrecondition, "bad leader transferee") },
        { StoreError.WrongDowngradeVersionFormat, Row(StatusCode.InvalidArgument, "wrong downgrade target version format") },
        { StoreError.InvalidDowngradeTargetVersion, Row(StatusCode.InvalidArgument, "invalid downgrade target version") },
        { StoreError.DowngradeClusterVersionNotFound, Row(StatusCode.FailedPrecondition, "cluster version not found during downgrade") },
        { StoreError.DowngradeInProgress, Row(StatusCode.FailedPrecondition, "cluster has a downgrade job in progress") },
        { StoreError.NoInflightDowngrade, Row(StatusCode.FailedPrecondition, "no inflight downgrade job") },
        { StoreError.RequestCanceled, Row(StatusCode.Cancelled, "request canceled") },
        { StoreError.DeadlineExceeded, Row(StatusCode.DeadlineExceeded, "context deadline exceeded") },
    }.ToFrozenDictionary();

    /// <summary>Every error of the store; <see cref="StoreError.None"/> is OK.</summary>
    public static Status ToStatus(StoreError error) => error == StoreError.None ? Status.DefaultSuccess : Rows[error];

    /// <summary>For handlers on streams, which can only end with an exception.</summary>
    public static RpcException ToException(StoreError error) => new(ToStatus(error));

    static Status Row(StatusCode code, string text) => new(code, "etcdserver: " + text);
}
