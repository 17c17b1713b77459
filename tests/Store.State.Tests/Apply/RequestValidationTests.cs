using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.State.Tests;

public sealed class RequestValidationTests
{
    static RequestOp Put(string key) => new() { RequestPut = new() { Key = Machine.Text(key) } };

    static RequestOp Delete(string key, string end = "") => new() { RequestDeleteRange = new() { Key = Machine.Text(key), RangeEnd = Machine.Text(end) } };

    static RequestOp Range(string key, bool serializable = false) => new() { RequestRange = new() { Key = Machine.Text(key), Serializable = serializable } };

    static RequestOp Nested(RequestOp[] success, RequestOp[]? failure = null) => new() { RequestTxn = Txn(success, failure) };

    static TxnRequest Txn(RequestOp[] success, RequestOp[]? failure = null) => new() { Success = { success }, Failure = { failure ?? [] } };

    static StoreError Check(params RequestOp[] success) => RequestValidation.CheckTxn(Txn(success), 128);

    [Fact]
    public void A_key_is_needed_everywhere()
    {
        Assert.Equal(StoreError.KeyNotProvided, RequestValidation.CheckRange(new()));
        Assert.Equal(StoreError.KeyNotProvided, RequestValidation.CheckPut(new()));
        Assert.Equal(StoreError.KeyNotProvided, RequestValidation.CheckDeleteRange(new()));
        Assert.Equal(StoreError.KeyNotProvided, RequestValidation.CheckTxn(new() { Compare = { new Compare() } }, 128));
        Assert.Equal(StoreError.KeyNotProvided, Check(Put("")));
        Assert.Equal(StoreError.KeyNotProvided, Check(Nested([Delete("")])));
    }

    [Fact]
    public void An_empty_operation_is_a_key_not_found_as_etcd_says_it() => Assert.Equal(StoreError.KeyNotFound, Check(new RequestOp()));

    [Fact]
    public void What_is_to_be_ignored_may_not_be_given()
    {
        var key = Machine.Text("a");
        Assert.Equal(StoreError.ValueProvided, RequestValidation.CheckPut(new() { Key = key, IgnoreValue = true, Value = key }));
        Assert.Equal(StoreError.LeaseProvided, RequestValidation.CheckPut(new() { Key = key, IgnoreLease = true, Lease = 1 }));
        Assert.Equal(StoreError.None, RequestValidation.CheckPut(new() { Key = key, IgnoreLease = true, IgnoreValue = true }));
    }

    [Theory]
    [InlineData(0, 0, StoreError.None)]
    [InlineData(2, 4, StoreError.None)]
    [InlineData(3, 0, StoreError.InvalidSortOption)]
    [InlineData(0, 5, StoreError.InvalidSortOption)]
    [InlineData(-1, 0, StoreError.InvalidSortOption)]
    public void Unknown_sort_options_are_refused(int order, int target, StoreError error) =>
        Assert.Equal(error, RequestValidation.CheckRange(new()
        {
            Key = Machine.Text("a"),
            SortOrder = (RangeRequest.Types.SortOrder)order,
            SortTarget = (RangeRequest.Types.SortTarget)target,
        }));

    [Fact]
    public void Each_list_of_a_transaction_may_hold_as_many_as_the_limit()
    {
        RequestOp[] many(int count) => [.. Enumerable.Range(0, count).Select(i => Range($"{i}"))];
        Assert.Equal(StoreError.None, RequestValidation.CheckTxn(Txn(many(3), many(3)), 3));
        Assert.Equal(StoreError.TooManyOperations, RequestValidation.CheckTxn(Txn(many(4)), 3));
        Assert.Equal(StoreError.TooManyOperations, RequestValidation.CheckTxn(Txn([], many(4)), 3));
    }

    [Fact]
    public void A_nested_transaction_has_what_its_parent_left_of_the_limit()
    {
        var three = Nested([Range("a"), Range("b"), Range("c")]);
        Assert.Equal(StoreError.None, RequestValidation.CheckTxn(Txn([three]), 4));
        Assert.Equal(StoreError.TooManyOperations, RequestValidation.CheckTxn(Txn([three, Range("d")]), 4));
    }

    [Fact]
    public void A_key_may_be_put_once()
    {
        Assert.Equal(StoreError.DuplicateKey, Check(Put("a"), Put("a")));
        Assert.Equal(StoreError.DuplicateKey, Check(Put("a"), Nested([Put("a")])));
        Assert.Equal(StoreError.DuplicateKey, Check(Nested([Put("a")]), Nested([], [Put("a")])));
        Assert.Equal(StoreError.None, Check(Put("a"), Put("b")));
        Assert.Equal(StoreError.None, RequestValidation.CheckTxn(Txn([Put("a")], [Put("a")]), 128));
        Assert.Equal(StoreError.None, Check(Nested([Put("a")], [Put("a")])));
    }

    [Fact]
    public void A_key_may_not_be_put_inside_of_a_deleted_range()
    {
        Assert.Equal(StoreError.DuplicateKey, Check(Put("a"), Delete("a")));
        Assert.Equal(StoreError.DuplicateKey, Check(Delete("a", "c"), Put("b")));
        Assert.Equal(StoreError.DuplicateKey, Check(Delete("a", "\0"), Put("z")));
        Assert.Equal(StoreError.DuplicateKey, Check(Nested([Delete("a", "c")]), Put("b")));
        Assert.Equal(StoreError.DuplicateKey, Check(Delete("a", "c"), Nested([Put("b")])));
        Assert.Equal(StoreError.None, Check(Delete("a", "c"), Put("c")));
        Assert.Equal(StoreError.None, Check(Nested([Delete("a", "c")], [Put("b")])));
        Assert.Equal(StoreError.None, Check(Delete("a", "c"), Delete("b", "d")));
    }

    [Fact]
    public void Read_only_means_ranges_in_both_branches()
    {
        Assert.True(RequestValidation.IsReadOnly(Txn([Range("a")], [Range("b")])));
        Assert.False(RequestValidation.IsReadOnly(Txn([Range("a")], [Put("b")])));
        Assert.False(RequestValidation.IsReadOnly(Txn([Nested([Range("a")])])));
        Assert.True(RequestValidation.IsSerializable(Txn([Range("a", serializable: true)])));
        Assert.False(RequestValidation.IsSerializable(Txn([Range("a", serializable: true)], [Range("a")])));
    }

    [Fact]
    public void The_dearer_branch_counts_for_the_quota()
    {
        Assert.Equal(257, RequestValidation.QuotaCost(Txn([Put("a"), Range("b")])));
        Assert.Equal(3 * 257, RequestValidation.QuotaCost(Txn([Put("a")], [Put("a"), Nested([Put("b"), Put("c")])])));
        Assert.Equal(0, RequestValidation.QuotaCost(Txn([Delete("a")])));
    }
}
