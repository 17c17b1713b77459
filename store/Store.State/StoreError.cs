namespace Store.State;

/// <summary>
/// Every outcome that is not success, by meaning. The server has the one table from here to gRPC codes and etcd's exact texts
/// (contract 1.17).
/// </summary>
public enum StoreError
{
    None,
    KeyNotProvided,
    KeyNotFound,
    ValueProvided,
    LeaseProvided,
    TooManyOperations,
    DuplicateKey,
    InvalidClientApiVersion,
    InvalidSortOption,
    Compacted,
    FutureRevision,
    NoSpace,
    LeaseNotFound,
    LeaseExists,
    LeaseTtlTooLarge,
    WatchCanceled,
    MemberExists,
    PeerUrlExists,
    MemberNotEnoughStarted,
    MemberBadUrls,
    MemberNotFound,
    MemberNotLearner,
    LearnerNotReady,
    TooManyLearners,
    ClusterIdMismatch,
    RequestTooLarge,
    TooManyRequests,
    NoLeader,
    NotLeader,
    LeaderChanged,
    NotCapable,
    Stopped,
    Timeout,
    TimeoutDueToLeaderFail,
    TimeoutDueToConnectionLost,
    TimeoutWaitAppliedIndex,
    UnhealthyCluster,
    CorruptCluster,
    NotSupportedForLearner,
    BadLeaderTransferee,
    /// <summary>An answer that would break a documented limit of this store, explained in the reply's text.</summary>
    InvalidAuthManagement,
    PermissionDenied,
    RequestCanceled,
}
