using System.Net;
using System.Net.Sockets;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A bucket of its own on the S3 server that `shared/s3/up` starts on loopback (S3_PORT, 17480 by default), and a way there for pods: loopback is not theirs.</summary>
sealed class ObjectServer : IAsyncDisposable
{
    static readonly string Port = Environment.GetEnvironmentVariable("S3_PORT") ?? "17480";

    readonly TcpListener listener;
    readonly Task accepting;

    ObjectServer(IPAddress address)
    {
        listener = new(address, 0);
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Bucket { get; } = $"kubernetes-{Guid.NewGuid():N}";

    /// <summary>As pods see it.</summary>
    public string Endpoint => $"http://{listener.LocalEndpoint}";

    /// <summary>The value of a target in YAML, with the credentials of a Secret.</summary>
    public string Target(string secret, string prefix = "shop") => $$"""{s3: {bucket: {{Bucket}}, prefix: {{prefix}}, endpoint: "{{Endpoint}}", pathStyle: true, credentialsSecret: {name: {{secret}} } } }""";

    /// <summary>A Secret of credentials, with a key to encrypt with.</summary>
    public static Task CreateSecretAsync(string name, string secretAccessKey, char keyDigit) =>
        Kubectl.RunAsync("create", "secret", "generic", name, "--from-literal=access-key-id=test", $"--from-literal=secret-access-key={secretAccessKey}", $"--from-literal=key={new string(keyDigit, 64)}");

    /// <summary>Skips the test where no server is.</summary>
    public static async Task<ObjectServer> StartAsync()
    {
        var node = (await Kubectl.GetAsync("nodes")).GetProperty("items")[0].GetProperty("status").GetProperty("addresses").EnumerateArray()
            .First(address => address.GetProperty("type").GetString() == "InternalIP").GetProperty("address").GetString()!;
        using var towards = new UdpClient(node, 9);
        var server = new ObjectServer(((IPEndPoint)towards.Client.LocalEndPoint!).Address);
        var made = await Shell.RunAsync(
            "curl", ["-sS", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "test:testsecret", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-X", "PUT", $"http://127.0.0.1:{Port}/{server.Bucket}"], null,
            TimeSpan.FromSeconds(30), cancellationToken: TestContext.Current.CancellationToken);
        if (made.ExitCode != 0) await server.DisposeAsync();
        Assert.SkipUnless(made.ExitCode == 0, $"no S3 server on port {Port} (start one with shared/s3/up): {made.Error}");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await accepting;
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    static async Task CarryAsync(TcpClient near)
    {
        try
        {
            using (near)
            using (var far = new TcpClient())
            {
                await far.ConnectAsync(IPAddress.Loopback, int.Parse(Port, System.Globalization.CultureInfo.InvariantCulture));
                await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream()), far.GetStream().CopyToAsync(near.GetStream()));
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // One end is gone, and with it the other.
        }
    }
}
