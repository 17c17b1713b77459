namespace LocalCluster;

/// <summary>One, three or five members of one product on loopback, bootstrapped together, in a folder that goes away with them.</summary>
public sealed class LoopbackCluster : IAsyncDisposable
{
    readonly List<MemberProcess> members = [];
    readonly IReadOnlyList<string> extraFlags;

    LoopbackCluster(Product product, string folder, ClusterCertificates? certificates, IReadOnlyList<string> extraFlags)
    {
        Product = product;
        Folder = folder;
        Certificates = certificates;
        this.extraFlags = extraFlags;
    }

    public Product Product { get; }
    public string Folder { get; }
    /// <summary>Null: in clear.</summary>
    public ClusterCertificates? Certificates { get; }
    /// <summary>What makes the cluster's ids its own (--initial-cluster-token).</summary>
    public string Token { get; } = $"token-{Guid.NewGuid():N}";
    /// <summary>The members as --initial-cluster names them.</summary>
    public string InitialCluster => string.Join(',', members.Select(m => $"{m.Name}={m.PeerUrl}"));
    public IReadOnlyList<MemberProcess> Members => members;
    public MemberProcess this[int index] => members[index];
    public string Endpoints => string.Join(',', members.Select(m => m.Endpoint));

    /// <summary>The flag of a store that serves only when its code is compiled and fast, as its users have it: for tests of how fast it is and with how much memory. All others need not wait for that.</summary>
    public static string[] Warm(Product product) => product == Product.Store ? ["--warmup-duration=3s"] : [];

    /// <param name="folder">Where the members' data goes; a fresh folder below it is made and removed again. Default: the system's temporary folder.</param>
    /// <param name="flags">Added to each member's command line, such as those of <see cref="Warm"/>.</param>
    public static Task<LoopbackCluster> StartAsync(
        Product product, int size, CancellationToken cancellationToken, string? folder = null, params string[] flags) => StartAsync(Create(product, size, folder, flags), cancellationToken);

    /// <param name="certificates">The caller's; null is in clear.</param>
    public static Task<LoopbackCluster> StartAsync(
        Product product, int size, ClusterCertificates? certificates, CancellationToken cancellationToken, params string[] flags) => StartAsync(Create(product, size, certificates, flags), cancellationToken);

    static async Task<LoopbackCluster> StartAsync(LoopbackCluster cluster, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var member in cluster.members)
                member.Start();
            await cluster.WaitUntilReadyAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lays the members out without starting them.</summary>
    public static LoopbackCluster Create(Product product, int size, string? folder = null, params string[] flags) => Create(product, size, folder, null, flags);

    /// <param name="certificates">The caller's; null is in clear.</param>
    public static LoopbackCluster Create(Product product, int size, ClusterCertificates? certificates, params string[] flags) => Create(product, size, null, certificates, flags);

    static LoopbackCluster Create(Product product, int size, string? folder, ClusterCertificates? certificates, string[] flags)
    {
        var root = Path.Combine(folder ?? Path.GetTempPath(), $"{product}-{Guid.NewGuid():N}"[..18].ToLowerInvariant());
        var cluster = new LoopbackCluster(product, root, certificates, flags);
        var places = Enumerable.Range(0, size).Select(n => (Name: $"m{n}", Client: Ports.Take(), Peer: Ports.Take())).ToArray();
        var initial = string.Join(',', places.Select(p => $"{p.Name}={cluster.Scheme}://127.0.0.1:{p.Peer}"));
        foreach (var (name, client, peer) in places)
            cluster.members.Add(cluster.Lay(name, client, peer, initial, "new"));
        return cluster;
    }

    /// <summary>Lays out one more member that joins this running cluster; MemberAdd with its peer URL must have been answered before it is started.</summary>
    public MemberProcess Join(string name, int clientPort, int peerPort)
    {
        var initial = $"{InitialCluster},{name}={Scheme}://127.0.0.1:{peerPort}";
        var member = Lay(name, clientPort, peerPort, initial, "existing");
        members.Add(member);
        return member;
    }

    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        foreach (var member in members)
            await member.WaitUntilReadyAsync(cancellationToken);
    }

    /// <summary>Asks the members until one says that it leads.</summary>
    public async Task<MemberProcess> LeaderAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 600; attempt++)
        {
            foreach (var member in members.Where(m => m.IsRunning))
            {
                try
                {
                    var status = await member.StatusAsync(cancellationToken);
                    if (status.Leader != 0 && status.Leader == status.Header.MemberId)
                        return member;
                }
                catch (Grpc.Core.RpcException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Starting, paused or gone: the next one is asked.
                }
            }
            await Task.Delay(50, cancellationToken);
        }
        throw new TimeoutException($"No member of {Folder} leads:\n{Logs()}");
    }

    /// <summary>The end of every member's log, for a failure's message.</summary>
    public string Logs() => string.Join("\n\n", members.Select(m => $"--- {m.Product} {m.Name} (running: {m.IsRunning})\n{m.LogTail()}"));

    public async ValueTask DisposeAsync()
    {
        foreach (var member in members)
            await member.DisposeAsync();
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (IOException)
        {
            // A test made it unwritable or it never came to be; the folder is temporary anyway.
        }
    }

    string Scheme => Certificates is null ? "http" : "https";

    MemberProcess Lay(string name, int clientPort, int peerPort, string initialCluster, string state)
    {
        var folder = Path.Combine(Folder, name);
        string[] flags =
        [
            "--name", name,
            "--data-dir", Path.Combine(folder, "data"),
            "--listen-client-urls", $"{Scheme}://127.0.0.1:{clientPort}",
            "--advertise-client-urls", $"{Scheme}://127.0.0.1:{clientPort}",
            "--listen-peer-urls", $"{Scheme}://127.0.0.1:{peerPort}",
            "--initial-advertise-peer-urls", $"{Scheme}://127.0.0.1:{peerPort}",
            "--initial-cluster", initialCluster,
            "--initial-cluster-state", state,
            "--initial-cluster-token", Token,
            .. Certificates?.MemberFlags ?? [],
            // Of a flag that is given twice the last counts.
            .. Product == Product.Store ? ["--warmup-duration=0s"] : Array.Empty<string>(),
            .. extraFlags,
        ];
        return new MemberProcess(Product, name, folder, clientPort, peerPort, flags, Certificates);
    }
}
