using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EndToEnd.Tests;

/// <summary>An application's certificate and whom it trusts, from the Secret that the operator keeps for applications: read again every few seconds, as a mounted one is.</summary>
sealed class SecretFiles : IAsyncDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    readonly string secret;
    readonly CancellationTokenSource stop = new();
    readonly Task reading;
    volatile Files files;

    SecretFiles(string secret, Files files)
    {
        (this.secret, this.files) = (secret, files);
        reading = Task.Run(ReadAsync);
    }

    /// <summary>How many different contents there were.</summary>
    public int Versions { get; private set; } = 1;

    public static async Task<SecretFiles> OpenAsync(string secret) => new(secret, await Files.ReadAsync(secret));

    /// <summary>Connects to <paramref name="address"/> and expects the certificate to be for the URL's host. Connections live for a second, so that there are always
    /// new handshakes.</summary>
    public SocketsHttpHandler Dial(string address, int port) => new()
    {
        PooledConnectionLifetime = TimeSpan.FromSeconds(1),
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            AllowTlsResume = false,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => files.Shown,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                certificate is X509Certificate2 shown && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && files.Holds(shown),
        },
    };

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await reading;
        stop.Dispose();
    }

    async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Pause, stop.Token);
                var read = await Files.ReadAsync(secret);
                if (read.Text == files.Text) continue;
                files = read;
                Versions++;
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    sealed record Files(string Text, X509Certificate2 Shown, X509Certificate2Collection Trusted)
    {
        public static async Task<Files> ReadAsync(string secret)
        {
            var data = (await Kubectl.GetAsync("secret", secret)).GetProperty("data");
            string Entry(string name) => Encoding.UTF8.GetString(data.GetProperty(name).GetBytesFromBase64());
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPem(Entry("ca.crt"));
            return new(Entry("ca.crt") + Entry("tls.crt"), X509Certificate2.CreateFromPem(Entry("tls.crt"), Entry("tls.key")), trusted);
        }

        public bool Holds(X509Certificate2 certificate)
        {
            using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true } };
            chain.ChainPolicy.CustomTrustStore.AddRange(Trusted);
            return chain.Build(certificate);
        }
    }
}
