using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Store.Server.Tests;

public sealed class NetworkFlagTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The cases of etcd's own rule: neither names nor loopback or unspecified addresses, and IPv4 before IPv6 because the URLs are sorted.</summary>
    [Theory]
    [InlineData("https://192.168.100.110:2380", "192.168.100.110")]
    [InlineData("https://host.example:2380,https://192.168.100.110:2380", "192.168.100.110")]
    [InlineData("https://[2001:db8::7334]:2380,https://192.168.100.110:2380", "192.168.100.110")]
    [InlineData("https://host.example:2380,https://[2001:db8::7334]:2380", "2001:db8::7334")]
    [InlineData("http://localhost:2380", null)]
    [InlineData("http://127.0.0.1:2380", null)]
    [InlineData("http://[::1]:2380", null)]
    [InlineData("http://0.0.0.0:2380", null)]
    [InlineData("http://[::]:2380", null)]
    public void The_local_address_is_the_first_that_other_machines_know(string advertised, string? expected)
    {
        foreach (var flag in (string[])["--set-member-localaddr", "--experimental-set-member-localaddr", "--feature-gates=SetMemberLocalAddr=true"])
            Assert.Equal(expected, LocalAddress(flag)?.ToString());
        Assert.Null(LocalAddress("--set-member-localaddr=false"));

        IPAddress? LocalAddress(string flag) => Assert.IsType<CommandLine.Serve>(CommandLine.Parse(
            [flag, $"--initial-advertise-peer-urls={advertised}", "--peer-auto-tls", $"--initial-cluster={string.Join(',', advertised.Split(',').Select(url => "default=" + url))}"],
            _ => null)).Options.PeerLocalAddress;
    }

    [Fact]
    public async Task Other_members_see_the_local_address()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var dialing = new TlsDialing(null, IPAddress.Parse("127.0.0.2"), NullLogger.Instance);
        await using var stream = await dialing.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, Token);
        using var accepted = await listener.AcceptSocketAsync(Token);
        Assert.Equal("127.0.0.2", ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString());
    }

    [Fact]
    public async Task A_local_address_of_another_machine_is_one_clear_line()
    {
        const string url = "http://192.0.2.7:2380";
        var (code, _, error) = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable, ["--set-member-localaddr", $"--initial-advertise-peer-urls={url}", $"--initial-cluster=default={url}", "--log-level=error",
                $"--data-dir={Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}", $"--listen-client-urls=http://127.0.0.1:{StoreUnderTest.FreePort()}",
                "--advertise-client-urls=http://127.0.0.1:1"], null, Token);
        Assert.Equal(
            (1, "store: --set-member-localaddr: 192.0.2.7, the first IP address in --initial-advertise-peer-urls, is not one of this machine; remove the flag or correct the URLs\n"), (code, error));
    }

    [Fact]
    public async Task Two_processes_that_share_their_ports_both_serve_and_one_that_does_not_is_refused()
    {
        var (url, peer) = ($"http://127.0.0.1:{StoreUnderTest.FreePort()}", $"http://127.0.0.1:{StoreUnderTest.FreePort()}");
        string[] ports = [$"--listen-client-urls={url}", $"--advertise-client-urls={url}", $"--listen-peer-urls={peer}", $"--initial-advertise-peer-urls={peer}"];
        await using var one = await StoreUnderTest.StartAsync(Token, [.. ports, "--socket-reuse-port"]);
        await using (await StoreUnderTest.StartAsync(Token, [.. ports, "--socket-reuse-port"]))
        {
            // Whichever it is that answers.
            for (var n = 0; n < 8; n++)
            {
                using var http = new HttpClient();
                Assert.Contains("\"health\":\"true\"", await http.GetStringAsync(url + "/health", Token), StringComparison.Ordinal);
            }
        }

        var (code, _, error) = await StoreUnderTest.RunAsync(
            StoreUnderTest.Executable, [.. ports, $"--data-dir={one.Folder}-alone", "--log-level=error"], null, Token);
        Assert.Equal((1, $"store: listen tcp {url["http://".Length..]}: bind: address already in use; stop the process that holds it or change --listen-client-urls\n"), (code, error));
    }
}
