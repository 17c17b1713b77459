using System.Collections.Frozen;

namespace Store.Server;

/// <summary>Every flag of etcd 3.6 that a manifest or script may pass (contract 1.14, 1.15), with etcd's defaults.</summary>
static class FlagTable
{
    public static readonly IReadOnlyList<Flag> All =
    [
        Text("name", "default", "Human-readable name of this member."),
        Text("data-dir", "", "Path to the data directory; '<name>.etcd' when empty."),
        Text("wal-dir", "", "Path to a folder of its own for the log; in the data directory when empty."),
        Number("snapshot-count", "10000", "Accepted for etcd's sake: the log is cut by what members may need."),
        Number("snapshot-catchup-entries", "5000", "Entries kept in the log for slow followers."),
        Number("heartbeat-interval", "100", "Milliseconds of a heartbeat interval."),
        Number("election-timeout", "1000", "Milliseconds of an election timeout."),
        Boolean("initial-election-tick-advance", "true", "Accepted for etcd's sake: the first election is not hastened."),
        Text("listen-peer-urls", "http://localhost:2380", "URLs to listen on for other members."),
        Text("listen-client-urls", "http://localhost:2379", "URLs to listen on for clients (gRPC and HTTP/1.1)."),
        Text("listen-client-http-urls", "", "URLs to listen on for plain HTTP alone; the client URLs are then for gRPC alone."),
        Text("listen-metrics-urls", "", "URLs to listen on for /metrics, /health, /livez, /readyz and /version alone."),
        Number("max-snapshots", "5", "Accepted for etcd's sake: snapshots are kept only while they are sent."),
        Number("max-wals", "5", "Accepted for etcd's sake: the log keeps what members may need."),
        Number("quota-backend-bytes", "0", "Live bytes above which writes are refused; 0 is 2 GiB, negative is no quota."),
        Duration("backend-batch-interval", "0s", "Accepted for etcd's sake: batches follow the disk here."),
        Number("backend-batch-limit", "0", "Accepted for etcd's sake: batches follow the disk here."),
        Text("backend-bbolt-freelist-type", "map", "Accepted for etcd's sake: there is no bbolt here."),
        Number("max-txn-ops", "128", "Operations in one transaction."),
        Number("max-request-bytes", "1572864", "Bytes of one request."),
        Number("max-concurrent-streams", "4294967295", "Streams of one client connection."),
        Duration("grpc-keepalive-min-time", "5s", "Accepted for etcd's sake: pings are answered at any rate."),
        Duration("grpc-keepalive-interval", "2h0m0s", "Silence after which the server pings a client."),
        Duration("grpc-keepalive-timeout", "20s", "Time for a client to answer a ping."),
        Boolean("socket-reuse-port", "false", "Share the ports with other processes that share them: the kernel deals connections out."),
        Boolean("socket-reuse-address", "false", "Bind while the address is in TIME_WAIT (always so here)."),
        Text("initial-advertise-peer-urls", "http://localhost:2380", "This member's peer URLs for the rest of the cluster."),
        Text("initial-cluster", "", "Members of a new cluster: name=peer-url,...; this member alone when empty."),
        Text("initial-cluster-state", "new", "'new' to form a cluster, 'existing' to join one."),
        Text("initial-cluster-token", "etcd-cluster", "Makes ids of different clusters differ."),
        Text("advertise-client-urls", "http://localhost:2379", "This member's client URLs for clients."),
        Boolean("strict-reconfig-check", "true", "Refuse membership changes that would cost the quorum."),
        Boolean("pre-vote", "true", "Accepted for etcd's sake: pre-vote is always on."),
        Number("max-learners", "1", "Learners allowed at a time."),
        Text("auto-compaction-mode", "periodic", "'periodic' or 'revision'."),
        Text("auto-compaction-retention", "0", "History to keep: a time ('1h', '5' hours) or a number of revisions; 0 is off."),
        Boolean("enable-pprof", "false", "Accepted for etcd's sake: Go's profiles do not exist here."),
        Text("metrics", "basic", "'basic' or 'extensive'; histograms of requests are always there."),
        Text("logger", "zap", "Accepted for etcd's sake; logs are JSON lines in zap's form."),
        Text("log-outputs", "default", "'default' (stderr), or a list of 'stderr', 'stdout' and paths of files."),
        Text("log-level", "info", "debug, info, warn, error, panic or fatal."),
        Text("log-format", "json", "'json' or 'console'."),
        Boolean("enable-log-rotation", "false", "Put log files aside when they are full."),
        Text("log-rotation-config-json", "{\"maxsize\": 100, \"maxage\": 0, \"maxbackups\": 0, \"localtime\": false, \"compress\": false}", "Megabytes of a log file, days and number of those put aside (0: no limit)."),
        Duration("warning-apply-duration", "100ms", "Accepted for etcd's sake."),
        Duration("warning-unary-request-duration", "300ms", "Accepted for etcd's sake."),
        Duration("experimental-wait-cluster-ready-timeout", "5s", "How long to wait for the cluster before clients are let in."),
        Duration("watch-progress-notify-interval", "10m0s", "Interval of progress notifications to idle watchers."),
        Duration("corrupt-check-time", "0s", "How often the leader compares all that members hold; 0s is never."),
        Duration("compact-hash-check-time", "1m0s", "The same after compactions, where the feature gate CompactHashCheck is on."),
        Number("compaction-batch-limit", "1000", "Accepted for etcd's sake: compaction paces itself."),
        Duration("compaction-sleep-interval", "10ms", "Accepted for etcd's sake: compaction paces itself."),
        Duration("downgrade-check-time", "5s", "Accepted for etcd's sake."),
        Text("feature-gates", "", "name=true,...; InitialCorruptCheck, CompactHashCheck and SetMemberLocalAddr mean something here."),
        Boolean("unsafe-no-fsync", "false", "Never sync the log. A crash of the machine loses acknowledged writes."),
        Boolean("force-new-cluster", "false", "Unsafe, for a quorum lost for good: remove all other members at the start. Take the flag away again afterwards."),
        Text("cors", "*", "Origins whose pages may call over HTTP: a list, or '*'."),
        Text("host-whitelist", "*", "Host names accepted in cleartext HTTP requests: a list, or '*'."),
        Boolean("enable-grpc-gateway", "true", "Serve the JSON gateway at /v3/."),
        Duration("warmup-duration", "3s", "Ours: how long the request path is driven before it takes traffic; 0 is off."),
        Number("read-response-bytes-max", "134217728", "Ours: bytes of large range answers in flight before more of them queue."),

        Text("config-file", "", "Read everything from this YAML file; other flags then do not count."),
        Text("discovery", "", "URL of the discovery of v2, which etcd 3.6 no longer has.", "etcd's v2 discovery, which is gone from etcd 3.6: use --discovery-endpoints"),
        Text("discovery-token", "", "The cluster to be found at --discovery-endpoints."),
        Text("discovery-endpoints", "", "URLs of another cluster, where the members of this one find each other."),
        Text("discovery-srv", "", "DNS domain whose SRV records name the members."),
        Text("discovery-srv-name", "", "Stands behind etcd-server in the names of those records."),
        Text("discovery-proxy", "", "Proxy for the discovery of v2.", "etcd's v2 discovery, which is gone from etcd 3.6"),
        Text("discovery-user", "", "User at --discovery-endpoints."),
        Text("discovery-password", "", "Password of that user."),
        Text("discovery-cert", "", "Certificate of this member for --discovery-endpoints; PEM."),
        Text("discovery-key", "", "Key of --discovery-cert."),
        Text("discovery-cacert", "", "Authorities that certificates of --discovery-endpoints must come from; default: the system's."),
        Boolean("discovery-insecure-transport", "true", "Speak in clear with --discovery-endpoints that have no scheme."),
        Boolean("discovery-insecure-skip-tls-verify", "false", "Unsafe: believe any certificate of --discovery-endpoints."),
        Duration("discovery-request-timeout", "5s", "For a request to --discovery-endpoints."),
        Duration("discovery-dial-timeout", "2s", "Accepted for etcd's sake: the request's time holds for dialling, too."),
        Text("discovery-fallback", "exit", "Accepted for etcd's sake: a member whose discovery fails ends."),
        Text("cert-file", "", "Certificate of this member for clients; PEM, read anew for every handshake."),
        Text("key-file", "", "Key of --cert-file."),
        Text("client-cert-file", "", "Certificate for connections to client ports; must be readable with --client-key-file."),
        Text("client-key-file", "", "Key of --client-cert-file."),
        Boolean("client-cert-auth", "false", "Require certificates of clients."),
        Text("client-crl-file", "", "Revoked client certificates."),
        Text("client-cert-allowed-hostname", "", "Host names, one of which client certificates must carry: a,b,..."),
        Text("trusted-ca-file", "", "Authorities of client certificates; client certificates are then required."),
        Boolean("auto-tls", "false", "Serve clients with a certificate made here when none is given."),
        Text("peer-cert-file", "", "Certificate for peers."),
        Text("peer-key-file", "", "Key for peers."),
        Text("peer-client-cert-file", "", "Certificate for outgoing peer connections."),
        Text("peer-client-key-file", "", "Key for outgoing peer connections."),
        Boolean("peer-client-cert-auth", "false", "Require certificates of peers."),
        Text("peer-trusted-ca-file", "", "Authorities of peer certificates; certificates of peers are then required."),
        Text("peer-cert-allowed-cn", "", "Common names, one of which peer certificates must carry: a,b,..."),
        Text("peer-cert-allowed-hostname", "", "Host names, one of which peer certificates must carry: a,b,..."),
        Boolean("peer-auto-tls", "false", "Talk to peers with a certificate made here when none is given."),
        Number("self-signed-cert-validity", "1", "Years of certificates made here."),
        Text("peer-crl-file", "", "Revoked peer certificates."),
        Boolean("peer-skip-client-san-verification", "false", "Let peers come from addresses that their certificates do not name."),
        Text("cipher-suites", "", "Cipher suites of TLS 1.2, by IANA's names: a,b,..."),
        Text("tls-min-version", "TLS1.2", "Lowest TLS version."),
        Text("tls-max-version", "", "Highest TLS version."),
        Text("auth-token", "simple", "Kind of authentication tokens: simple, or jwt,sign-method=RS256,pub-key=FILE,priv-key=FILE,ttl=5m."),
        Number("bcrypt-cost", "10", "Cost of password hashes (bcrypt), 4 to 31."),
        Number("auth-token-ttl", "300", "Seconds that a simple token lives without being used."),
        Boolean("enable-distributed-tracing", "false", "Send traces over OTLP."),
        Text("distributed-tracing-address", "localhost:4317", "Host and port of the collector."),
        Text("distributed-tracing-service-name", "etcd", "Service name in traces."),
        Text("distributed-tracing-instance-id", "", "Instance id in traces."),
        Number("distributed-tracing-sampling-rate", "0", "Traces of a million calls that bring none."),
        Boolean("set-member-localaddr", "false", "Connect to other members from the first IP address in --initial-advertise-peer-urls."),

        Boolean("experimental-set-member-localaddr", "false", "Old name of --set-member-localaddr."),
        Boolean("experimental-initial-corrupt-check", "false", "Old name of the feature gate InitialCorruptCheck."),
        Duration("experimental-watch-progress-notify-interval", "10m0s", "Old name of --watch-progress-notify-interval."),
        Duration("experimental-corrupt-check-time", "0s", "Old name of --corrupt-check-time."),
        Boolean("experimental-compact-hash-check-enabled", "false", "Old name of the feature gate CompactHashCheck."),
        Duration("experimental-compact-hash-check-time", "1m0s", "Old name of --compact-hash-check-time."),
        Duration("experimental-warning-apply-duration", "100ms", "Accepted for etcd's sake."),
        Boolean("experimental-enable-distributed-tracing", "false", "Old name of --enable-distributed-tracing."),
        Text("experimental-distributed-tracing-address", "localhost:4317", "Old name of --distributed-tracing-address."),
        Text("experimental-distributed-tracing-service-name", "etcd", "Old name of --distributed-tracing-service-name."),
        Text("experimental-distributed-tracing-instance-id", "", "Old name of --distributed-tracing-instance-id."),
        Number("experimental-distributed-tracing-sampling-rate", "0", "Old name of --distributed-tracing-sampling-rate."),
        Number("experimental-max-learners", "1", "Old name of --max-learners."),
        Number("experimental-snapshot-catchup-entries", "5000", "Old name of --snapshot-catchup-entries."),

        Boolean("version", "false", "Print the versions and exit."),
        Boolean("help", "false", "Print this text and exit."),
    ];

    public static readonly FrozenDictionary<string, Flag> ByName = All.ToFrozenDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>The known flag that takes the fewest edits from the one given; null when nothing is close.</summary>
    public static string? Nearest(string name)
    {
        var (nearest, distance) = All.Select(f => (f.Name, Distance: Edits(name, f.Name))).MinBy(f => f.Distance);
        return distance <= Math.Max(3, name.Length / 2) ? nearest : null;
    }

    /// <summary>Levenshtein's distance.</summary>
    static int Edits(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) row[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }

    static Flag Text(string name, string value, string help, string? notYet = null) => new(name, FlagKind.Text, value, help, notYet);

    static Flag Boolean(string name, string value, string help) => new(name, FlagKind.Boolean, value, help);

    static Flag Number(string name, string value, string help, string? notYet = null) => new(name, FlagKind.Number, value, help, notYet);

    static Flag Duration(string name, string value, string help, string? notYet = null) => new(name, FlagKind.Duration, value, help, notYet);
}
