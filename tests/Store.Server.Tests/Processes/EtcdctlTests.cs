using System.Text.Json;
using Xunit;

namespace Store.Server.Tests;

/// <summary>
/// etcd's own command line client on one member. Runs with each etcdctl that is there: on the PATH, and the one that ETCDCTL names (CI installs 3.4 and
/// brings a 3.5).
/// </summary>
public class EtcdctlTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Clients => [.. Found()];

    static IEnumerable<string> Found()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "etcdctl")).FirstOrDefault(File.Exists);
        string?[] all = [onPath, Environment.GetEnvironmentVariable("ETCDCTL")];
        return all.OfType<string>().Distinct().DefaultIfEmpty("");
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Keys_are_written_read_and_deleted(string client)
    {
        await using var store = await StartAsync(client);
        Assert.Equal("OK\n", await RunAsync(client, store, "put", "a", "1"));
        Assert.Equal("OK\n1\n", (await RunAsync(client, store, "put", "a", "2", "--prev-kv")).Replace("a\n", "", StringComparison.Ordinal));
        Assert.Equal("OK\n", await RunAsync(client, store, "put", "b", "3"));
        Assert.Equal("a\n2\nb\n3\n", await RunAsync(client, store, "get", "", "--from-key"));
        Assert.Equal("b\na\n", await RunAsync(client, store, "get", "", "--from-key", "--order=DESCEND", "--sort-by=KEY", "--keys-only").ContinueWith(t => t.Result.Replace("\n\n", "\n", StringComparison.Ordinal), TaskScheduler.Default));
        Assert.Equal("a\n1\n", await RunAsync(client, store, "get", "a", "--rev=2"));
        Assert.Equal("a\n2\n", await RunAsync(client, store, "get", "a", "--consistency=s"));
        Assert.Equal("1\n", await RunAsync(client, store, "del", "a"));
        Assert.Equal("0\n", await RunAsync(client, store, "del", "a"));
        Assert.Equal(5, (await JsonAsync(client, store, "get", "b")).GetProperty("header").GetProperty("revision").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_transaction_takes_the_branch_that_its_compares_choose(string client)
    {
        await using var store = await StartAsync(client);
        const string txn = "value(\"a\") = \"1\"\n\nput a 2\nget a\n\nget b\n\n";
        await RunAsync(client, store, "put", "a", "1");
        Assert.Equal("SUCCESS\n\nOK\n\na\n2\n", await RunAsync(client, store, ["txn"], txn));
        Assert.Equal("FAILURE\n\n\n", (await RunAsync(client, store, ["txn"], txn)).TrimEnd('\n') + "\n\n\n");
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Compaction_refuses_older_reads_with_etcds_text(string client)
    {
        await using var store = await StartAsync(client);
        for (var i = 0; i < 4; i++) await RunAsync(client, store, "put", "a", $"{i}");
        Assert.Equal("compacted revision 4\n", await RunAsync(client, store, "compaction", "4", "--physical"));
        Assert.Contains("etcdserver: mvcc: required revision has been compacted", await FailAsync(client, store, "get", "a", "--rev=3"), StringComparison.Ordinal);
        Assert.Contains("etcdserver: mvcc: required revision is a future revision", await FailAsync(client, store, "get", "a", "--rev=99"), StringComparison.Ordinal);
        Assert.Contains("etcdserver: mvcc: required revision has been compacted", await FailAsync(client, store, "compaction", "4"), StringComparison.Ordinal);
        Assert.Contains("etcdserver: requested lease not found", await FailAsync(client, store, "put", "a", "b", "--lease=7b"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Members_status_and_hashes_are_told(string client)
    {
        await using var store = await StartAsync(client);
        await RunAsync(client, store, "put", "a", "1");
        var member = (await JsonAsync(client, store, "member", "list")).GetProperty("members")[0];
        Assert.Equal("one", member.GetProperty("name").GetString());
        Assert.Equal(store.Url, member.GetProperty("clientURLs")[0].GetString());
        var status = (await JsonAsync(client, store, "endpoint", "status"))[0].GetProperty("Status");
        Assert.Equal(member.GetProperty("ID").GetUInt64(), status.GetProperty("leader").GetUInt64());
        Assert.StartsWith("3.7.", status.GetProperty("version").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(0u, (await JsonAsync(client, store, "endpoint", "hashkv"))[0].GetProperty("HashKV").GetProperty("hash").GetUInt32());
        Assert.True((await JsonAsync(client, store, "endpoint", "health"))[0].GetProperty("health").GetBoolean());
        Assert.Equal("", await RunAsync(client, store, "alarm", "list"));
        Assert.StartsWith("Finished defragmenting etcd member", await RunAsync(client, store, "defrag"), StringComparison.Ordinal);
    }

    static async Task<StoreUnderTest> StartAsync(string client)
    {
        if (client.Length == 0) Assert.Skip("there is no etcdctl on the PATH: install etcd-client, or name one in ETCDCTL");
        return await StoreUnderTest.StartAsync(Token);
    }

    static Task<string> RunAsync(string client, StoreUnderTest store, params string[] arguments) => RunAsync(client, store, arguments, null);

    static async Task<string> RunAsync(string client, StoreUnderTest store, string[] arguments, string? input)
    {
        var (code, output, error) = await StoreUnderTest.RunAsync(client, ["--endpoints=" + store.Url, .. arguments], input, Token, ("ETCDCTL_API", "3"));
        Assert.True(code == 0, error + output + store.Output);
        return output;
    }

    static async Task<string> FailAsync(string client, StoreUnderTest store, params string[] arguments)
    {
        var (code, output, error) = await StoreUnderTest.RunAsync(client, ["--endpoints=" + store.Url, .. arguments], null, Token, ("ETCDCTL_API", "3"));
        Assert.NotEqual(0, code);
        return error + output;
    }

    static async Task<JsonElement> JsonAsync(string client, StoreUnderTest store, params string[] arguments) =>
        JsonDocument.Parse(await RunAsync(client, store, [.. arguments, "--write-out=json"])).RootElement;
}
