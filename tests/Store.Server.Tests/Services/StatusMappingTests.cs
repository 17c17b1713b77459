using Grpc.Core;
using Store.State;
using Xunit;

namespace Store.Server.Tests;

public class StatusMappingTests
{
    [Fact]
    public void Every_error_has_its_own_text_and_a_code()
    {
        StoreError[] others =
        [
            StoreError.None, StoreError.StreamSorted, StoreError.StreamFiltered, StoreError.NoPasswordUser, StoreError.PasswordTooLong, StoreError.TokenVerifyOnly,
        ];
        var rows = Enum.GetValues<StoreError>().Except(others).Select(StatusMapping.ToStatus).ToList();
        Assert.Equal(63, rows.Count);
        Assert.Equal(63, rows.Select(r => r.Detail).Distinct().Count());
        Assert.All(rows, row => Assert.StartsWith("etcdserver: ", row.Detail, StringComparison.Ordinal));
        Assert.DoesNotContain(rows, row => row.StatusCode is StatusCode.OK or StatusCode.Unknown or StatusCode.Internal);
    }

    /// <summary>Codes and texts as etcd's clients compare them, byte for byte (contract 1.17).</summary>
    const string Table = """
        InvalidArgument    etcdserver: key is not provided
        InvalidArgument    etcdserver: key not found
        InvalidArgument    etcdserver: value is provided
        InvalidArgument    etcdserver: lease is provided
        InvalidArgument    etcdserver: too many operations in txn request
        InvalidArgument    etcdserver: duplicate key given in txn request
        InvalidArgument    etcdserver: invalid client api version
        InvalidArgument    etcdserver: invalid sort option
        OutOfRange         etcdserver: mvcc: required revision has been compacted
        OutOfRange         etcdserver: mvcc: required revision is a future revision
        ResourceExhausted  etcdserver: mvcc: database space exceeded
        NotFound           etcdserver: requested lease not found
        FailedPrecondition etcdserver: lease already exists
        OutOfRange         etcdserver: too large lease TTL
        Cancelled           etcdserver: watch canceled
        FailedPrecondition etcdserver: member ID already exist
        FailedPrecondition etcdserver: Peer URLs already exists
        FailedPrecondition etcdserver: re-configuration failed due to not enough started members
        InvalidArgument    etcdserver: given member URLs are invalid
        NotFound           etcdserver: member not found
        FailedPrecondition etcdserver: can only promote a learner member
        FailedPrecondition etcdserver: can only promote a learner member which is in sync with leader
        FailedPrecondition etcdserver: too many learner members in cluster
        FailedPrecondition etcdserver: cluster ID mismatch
        InvalidArgument    etcdserver: request is too large
        ResourceExhausted  etcdserver: too many requests
        FailedPrecondition etcdserver: root user does not exist
        FailedPrecondition etcdserver: root user does not have root role
        FailedPrecondition etcdserver: user name already exists
        InvalidArgument    etcdserver: user name is empty
        FailedPrecondition etcdserver: user name not found
        FailedPrecondition etcdserver: role name already exists
        FailedPrecondition etcdserver: role name not found
        InvalidArgument    etcdserver: role name is empty
        InvalidArgument    etcdserver: authentication failed, invalid user ID or password
        InvalidArgument    etcdserver: permission not given
        PermissionDenied   etcdserver: permission denied
        FailedPrecondition etcdserver: role is not granted to the user
        FailedPrecondition etcdserver: permission is not granted to the role
        FailedPrecondition etcdserver: authentication is not enabled
        Unauthenticated    etcdserver: invalid auth token
        InvalidArgument    etcdserver: invalid auth management
        InvalidArgument    etcdserver: revision of auth store is old
        Unavailable        etcdserver: no leader
        FailedPrecondition etcdserver: not leader
        Unavailable        etcdserver: leader changed
        FailedPrecondition etcdserver: not capable
        Unavailable        etcdserver: server stopped
        Unavailable        etcdserver: request timed out
        Unavailable        etcdserver: request timed out, possibly due to previous leader failure
        Unavailable        etcdserver: request timed out, possibly due to connection lost
        Unavailable        etcdserver: request timed out, waiting for the applied index took too long
        Unavailable        etcdserver: unhealthy cluster
        DataLoss           etcdserver: corrupt cluster
        FailedPrecondition etcdserver: rpc not supported for learner
        FailedPrecondition etcdserver: bad leader transferee
        InvalidArgument    etcdserver: wrong downgrade target version format
        InvalidArgument    etcdserver: invalid downgrade target version
        FailedPrecondition etcdserver: cluster version not found during downgrade
        FailedPrecondition etcdserver: cluster has a downgrade job in progress
        FailedPrecondition etcdserver: no inflight downgrade job
        Cancelled           etcdserver: request canceled
        DeadlineExceeded   etcdserver: context deadline exceeded
        """;

    [Fact]
    public void The_table_is_etcds_byte_for_byte()
    {
        var expected = Table.Split('\n').Select(line => line.Split(' ', 2, StringSplitOptions.TrimEntries)).Select(parts => $"{parts[0]} {parts[1]}").Order(StringComparer.Ordinal).ToList();
        StoreError[] others =
        [
            StoreError.None, StoreError.StreamSorted, StoreError.StreamFiltered, StoreError.NoPasswordUser, StoreError.PasswordTooLong, StoreError.TokenVerifyOnly,
        ];
        var found = Enum.GetValues<StoreError>().Except(others).Select(StatusMapping.ToStatus).Select(row => $"{row.StatusCode} {row.Detail}").Order(StringComparer.Ordinal);
        Assert.Equal(63, expected.Count);
        Assert.Equal(expected, found);
    }

    [Theory]
    [InlineData(StoreError.KeyNotProvided, StatusCode.InvalidArgument, "etcdserver: key is not provided")]
    [InlineData(StoreError.Compacted, StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted")]
    [InlineData(StoreError.NoSpace, StatusCode.ResourceExhausted, "etcdserver: mvcc: database space exceeded")]
    [InlineData(StoreError.PeerUrlExists, StatusCode.FailedPrecondition, "etcdserver: Peer URLs already exists")]
    [InlineData(StoreError.NoLeader, StatusCode.Unavailable, "etcdserver: no leader")]
    [InlineData(StoreError.Timeout, StatusCode.Unavailable, "etcdserver: request timed out")]
    [InlineData(StoreError.CorruptCluster, StatusCode.DataLoss, "etcdserver: corrupt cluster")]
    [InlineData(StoreError.WatchCanceled, StatusCode.Cancelled, "etcdserver: watch canceled")]
    [InlineData(StoreError.StreamSorted, StatusCode.Unimplemented, "RangeStream does not support custom sort orders")]
    [InlineData(StoreError.StreamFiltered, StatusCode.Unimplemented, "RangeStream does not support revision filters")]
    [InlineData(StoreError.InvalidAuthToken, StatusCode.Unauthenticated, "etcdserver: invalid auth token")]
    [InlineData(StoreError.NoPasswordUser, StatusCode.Unknown, "auth: authentication failed, password was given for no password user")]
    [InlineData(StoreError.PasswordTooLong, StatusCode.Unknown, "bcrypt: password length exceeds 72 bytes")]
    [InlineData(StoreError.TokenVerifyOnly, StatusCode.Unknown, "auth: token signing attempted with verify-only key")]
    public void The_texts_are_those_of_etcd(StoreError error, StatusCode code, string text) =>
        Assert.Equal(new Status(code, text), StatusMapping.ToStatus(error));
}
