using Grpc.Core;
using Store.State;
using Xunit;

namespace Store.Server.Tests;

public class StatusMappingTests
{
    [Fact]
    public void Every_error_has_its_own_text_and_a_code()
    {
        StoreError[] others = [StoreError.None, StoreError.StreamSorted, StoreError.StreamFiltered];
        var rows = Enum.GetValues<StoreError>().Except(others).Select(StatusMapping.ToStatus).ToList();
        Assert.Equal(63, rows.Count);
        Assert.Equal(63, rows.Select(r => r.Detail).Distinct().Count());
        Assert.All(rows, row => Assert.StartsWith("etcdserver: ", row.Detail, StringComparison.Ordinal));
        Assert.DoesNotContain(rows, row => row.StatusCode is StatusCode.OK or StatusCode.Unknown or StatusCode.Internal);
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
    public void The_texts_are_those_of_etcd(StoreError error, StatusCode code, string text) =>
        Assert.Equal(new Status(code, text), StatusMapping.ToStatus(error));
}
