using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

/// <summary>How the members of a new cluster find each other.</summary>
public class DiscoveryTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_that_know_a_token_form_a_cluster_of_its_size_and_no_more()
    {
        await using var registry = await StoreUnderTest.StartAsync(Token);
        using var channel = GrpcChannel.ForAddress(registry.Url);
        await new KV.KVClient(channel).PutAsync(
            new() { Key = ByteString.CopyFromUtf8("/_etcd/registry/t1/_config/size"), Value = ByteString.CopyFromUtf8("2") }, cancellationToken: Token);
        string[] flags = [$"--discovery-endpoints={registry.Url}", "--discovery-token=t1"];

        var starting = new[] { "a", "b" }.Select(name => StoreUnderTest.StartAsync(Token, [$"--name={name}", .. flags])).ToArray();
        await using var a = await starting[0];
        await using var b = await starting[1];
        using var members = GrpcChannel.ForAddress(a.Url);
        var list = await new Cluster.ClusterClient(members).MemberListAsync(new() { Linearizable = true }, cancellationToken: Token);
        Assert.Equal(["a", "b"], list.Members.Select(member => member.Name).Order(StringComparer.Ordinal));

        var late = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable, ["--name=c", $"--data-dir={a.Folder}-late", "--log-level=error", $"--listen-client-urls=http://127.0.0.1:{StoreUnderTest.FreePort()}", "--advertise-client-urls=http://127.0.0.1:1", .. flags], null, Token);
        Assert.Equal((1, "store: discovery: cluster is full: 2 members have come to the token t1 before; take a new token, or join with --initial-cluster-state=existing\n"), (late.ExitCode, late.Error));
        Directory.Delete($"{a.Folder}-late", recursive: true);
    }

    [Fact]
    public async Task The_other_cluster_may_ask_for_TLS_and_for_certificates()
    {
        using var authority = new TestAuthority("authority");
        using var files = new CertificateFolder();
        foreach (var name in new[] { "server", "member" }) files.Write(name, authority.Sign(name));
        files.Write("ca.crt", authority.Pem);
        await using var registry = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), "--client-cert-auth", "--trusted-ca-file=" + files["ca.crt"]]);
        var tls = new DiscoveryTlsOptions(files["member.crt"], files["member.key"], files["ca.crt"], TrustsAnybody: false);
        using var channel = GrpcChannel.ForAddress(registry.Url, new() { HttpHandler = DiscoveryTls.Open(tls).Handler(), DisposeHttpClient = true });
        var kv = new KV.KVClient(channel);
        await kv.PutAsync(new() { Key = ByteString.CopyFromUtf8("/_etcd/registry/t3/_config/size"), Value = ByteString.CopyFromUtf8("1") }, cancellationToken: Token);

        // Without a scheme: that there are certificates says TLS.
        await using var found = await StoreUnderTest.StartAsync(
            Token, $"--discovery-endpoints=127.0.0.1:{registry.ClientPort}", "--discovery-token=t3", $"--discovery-cert={tls.CertFile}", $"--discovery-key={tls.KeyFile}", $"--discovery-cacert={tls.AuthorityFile}");
        var registered = await kv.RangeAsync(
            new() { Key = ByteString.CopyFromUtf8("/_etcd/registry/t3/members/"), RangeEnd = ByteString.CopyFromUtf8("/_etcd/registry/t3/members0") }, cancellationToken: Token);
        Assert.StartsWith("one=http://127.0.0.1:", Assert.Single(registered.Kvs).Value.ToStringUtf8(), StringComparison.Ordinal);

        async Task<string> HealthAsync(DiscoveryTlsOptions options)
        {
            using var http = new HttpClient(DiscoveryTls.Open(options).Handler());
            return await http.GetStringAsync(registry.Url + "/health", Token);
        }

        Assert.Contains("true", await HealthAsync(tls), StringComparison.Ordinal);
        Assert.Contains("true", await HealthAsync(tls with { AuthorityFile = "", TrustsAnybody = true }), StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => HealthAsync(tls with { AuthorityFile = "" }));
        await Assert.ThrowsAsync<HttpRequestException>(() => HealthAsync(tls with { CertFile = "", KeyFile = "" }));
        Assert.Equal("--discovery-cacert /nowhere: no such file", Assert.Throws<FlagException>(() => DiscoveryTls.Open(tls with { AuthorityFile = "/nowhere" })).Message);
    }

    [Fact]
    public async Task A_token_that_nobody_made_is_one_clear_line()
    {
        await using var registry = await StoreUnderTest.StartAsync(Token);
        var folder = Directory.CreateTempSubdirectory("store-discovery-").FullName;
        var (code, _, error) = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable,
            [$"--data-dir={folder}", "--log-level=error", $"--listen-client-urls=http://127.0.0.1:{StoreUnderTest.FreePort()}", "--advertise-client-urls=http://127.0.0.1:1", $"--discovery-endpoints={registry.Url}", "--discovery-token=t2"],
            null, Token);
        Assert.Equal((1, "store: discovery: size key not found: put the number of members under /_etcd/registry/t2/_config/size first\n"), (code, error));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Records_name_the_members_and_this_one_finds_itself_among_them()
    {
        using var dns = new ScriptedDns(new()
        {
            ["_etcd-server-db._tcp.example.test"] = [(10, 2380, "127.0.0.2"), (5, 2380, "127.0.0.1"), (10, 2380, "127.0.0.3")],
        });
        var self = new InitialMember("one", ["http://127.0.0.1:2380"]);
        var members = await new SrvDiscovery(new("example.test", "db"), self, new([dns.EndPoint])).FindAsync(Token);
        Assert.Equal(["0=http://127.0.0.2:2380", "1=http://127.0.0.3:2380", "one=http://127.0.0.1:2380"], members.Select(member => $"{member.Name}={member.PeerUrls.Single()}"));

        var stranger = new InitialMember("two", ["http://127.0.0.9:2380"]);
        var alone = await Assert.ThrowsAsync<BootException>(() => new SrvDiscovery(new("example.test", "db"), stranger, new([dns.EndPoint])).FindAsync(Token));
        Assert.StartsWith("none of the DNS SRV records (http://127.0.0.1:2380, http://127.0.0.2:2380, http://127.0.0.3:2380) is this member's", alone.Message, StringComparison.Ordinal);
        var nowhere = await Assert.ThrowsAsync<BootException>(() => new SrvDiscovery(new("nowhere.test", ""), self, new([dns.EndPoint])).FindAsync(Token));
        Assert.Equal("error querying DNS SRV records: neither _etcd-server-ssl._tcp.nowhere.test nor _etcd-server._tcp.nowhere.test exists; check --discovery-srv", nowhere.Message);
    }

    [Theory]
    [InlineData("multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\", \"discovery\", \"discovery-endpoints\" or \"discovery-srv\"", "--discovery-srv=x", "--initial-cluster=default=http://localhost:2380")]
    [InlineData("--discovery-endpoints needs --discovery-token", "--discovery-endpoints=http://127.0.0.1:1")]
    [InlineData("--discovery-token needs --discovery-endpoints", "--discovery-token=t")]
    [InlineData("--discovery-cert and --discovery-key must be given together", "--discovery-endpoints=http://127.0.0.1:1", "--discovery-token=t", "--discovery-cert=c.crt")]
    public void Flags_that_do_not_fit_are_one_clear_line(string expected, params string[] arguments) =>
        Assert.Equal(expected, Assert.IsType<CommandLine.Wrong>(CommandLine.Parse(arguments, _ => null)).Message);

    /// <summary>A name server on loopback that knows some SRV records; names end in a jump back to the question, as real ones do.</summary>
    sealed class ScriptedDns : IDisposable
    {
        readonly UdpClient socket = new(new IPEndPoint(IPAddress.Loopback, 0));
        readonly Dictionary<string, (int Priority, int Port, string Host)[]> records;

        public ScriptedDns(Dictionary<string, (int Priority, int Port, string Host)[]> records)
        {
            this.records = records;
            _ = ServeAsync();
        }

        public IPEndPoint EndPoint => (IPEndPoint)socket.Client.LocalEndPoint!;

        public void Dispose() => socket.Dispose();

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var question = await socket.ReceiveAsync();
                    await socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint);
                }
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        byte[] Answer(byte[] question)
        {
            var labels = new List<string>();
            for (var at = 12; question[at] != 0; at += 1 + question[at]) labels.Add(System.Text.Encoding.ASCII.GetString(question, at + 1, question[at]));
            var found = records.GetValueOrDefault(string.Join('.', labels)) ?? [];
            var answer = new List<byte>(question);
            (answer[2], answer[3], answer[7]) = (0x81, (byte)(found.Length == 0 ? 0x83 : 0x80), (byte)found.Length);
            foreach (var (priority, port, host) in found)
            {
                byte[] name = [.. host.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. System.Text.Encoding.ASCII.GetBytes(label)]), 0];
                answer.AddRange([0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, (byte)(6 + name.Length), 0, (byte)priority, 0, 1, (byte)(port >> 8), (byte)port, .. name]);
            }

            return [.. answer];
        }
    }
}
