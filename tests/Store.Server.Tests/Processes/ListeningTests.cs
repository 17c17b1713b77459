using System.Net.Sockets;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Where a member may listen besides one TCP port, and write besides one folder.</summary>
public sealed class ListeningTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("store-listening-").FullName;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clients_come_over_a_unix_socket_also_when_a_killed_process_has_left_its_file()
    {
        var file = Path.Combine(folder, "store.sock");
        string[] flags = [$"--listen-client-urls=unix://{file}", $"--advertise-client-urls=unix://{file}"];
        await (await StoreUnderTest.StartAsync(Token, flags)).DisposeAsync();
        Assert.True(File.Exists(file));
        await using var store = await StoreUnderTest.StartAsync(Token, flags);
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(file), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        Assert.Contains("\"health\":\"true\"", await http.GetStringAsync("http://localhost/health", Token), StringComparison.Ordinal);

        var (code, _, error) = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable, [$"--data-dir={folder}/other", "--log-level=error", .. flags], null, Token);
        Assert.Equal((1, $"store: listen unix {file}: bind: address already in use; stop the process that holds it or change --listen-client-urls\n"), (code, error));
    }

    [Fact]
    public async Task Plain_HTTP_and_gRPC_have_ports_of_their_own_when_told_so()
    {
        var plain = $"http://127.0.0.1:{StoreUnderTest.FreePort()}";
        await using var store = await StoreUnderTest.StartAsync(Token, $"--listen-client-http-urls={plain}");
        using var http = new HttpClient();
        Assert.Contains("\"etcdserver\"", await http.GetStringAsync(plain + "/version", Token), StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync(store.Url + "/version", Token)).StatusCode);
        Assert.Equal("", await StatusAsync(store.Url));
        Assert.StartsWith("no gRPC is served at --listen-client-http-urls", await StatusAsync(plain), StringComparison.Ordinal);

        static async Task<string> StatusAsync(string url)
        {
            using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(url);
            try
            {
                await new Protocol.Etcdserverpb.Maintenance.MaintenanceClient(channel).StatusAsync(new(), cancellationToken: Token);
                return "";
            }
            catch (Grpc.Core.RpcException exception)
            {
                return exception.Status.Detail;
            }
        }
    }

    [Fact]
    public async Task The_log_lies_in_its_own_folder_and_lines_in_their_own_file()
    {
        var (wal, log) = (Path.Combine(folder, "wal"), Path.Combine(folder, "lines", "store.log"));
        await using var store = await StoreUnderTest.StartAsync(Token, $"--wal-dir={wal}", $"--log-outputs=stderr,{log}", "--enable-log-rotation");
        Assert.NotEmpty(Directory.GetFiles(wal, "*.wal"));
        Assert.False(Directory.Exists(Path.Combine(store.Folder, "member", "wal")));

        // Read once the process has ended: a line, the one the test waits for too, goes to stderr before it goes to the file.
        Assert.Equal(0, await store.StopAsync(Token));
        Assert.Contains("ready to serve client requests", File.ReadAllText(log), StringComparison.Ordinal);
        var (code, _, error) = await StoreUnderTest.RunAsync(StoreUnderTest.Executable, [$"--name=one", $"--data-dir={store.Folder}", "--log-level=error"], null, Token);
        Assert.Equal(1, code);
        Assert.Contains("the log is missing, although the member has begun; give the --wal-dir of its first start", error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
