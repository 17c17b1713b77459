using Xunit;

namespace Store.Server.Tests;

public class FlagTests
{
    static ServerOptions Options(params string[] arguments) => Options(_ => null, arguments);

    static ServerOptions Options(Func<string, string?> environment, params string[] arguments) =>
        Assert.IsType<CommandLine.Serve>(CommandLine.Parse(arguments, environment)).Options;

    static string Error(params string[] arguments) => Assert.IsType<CommandLine.Wrong>(CommandLine.Parse(arguments, _ => null)).Message;

    [Fact]
    public void Nothing_given_means_the_defaults_of_etcd()
    {
        var options = Options();
        Assert.Equal("default", options.Name);
        Assert.Equal("default.etcd", options.DataDirectory);
        Assert.Equal("http://localhost:2379/", Assert.Single(options.ListenClientUrls).ToString());
        Assert.Equal("http://localhost:2380/", Assert.Single(options.ListenPeerUrls).ToString());
        var member = Assert.Single(options.InitialCluster);
        Assert.Equal(("default", "http://localhost:2380"), (member.Name, Assert.Single(member.PeerUrls)));
        Assert.Equal("etcd-cluster", options.InitialClusterToken);
        Assert.Equal((100, 1000), (options.HeartbeatIntervalMs, options.ElectionTimeoutMs));
        Assert.Equal(2L << 30, options.QuotaBytes);
        Assert.Equal(1_572_864, options.RequestBytesMax);
        Assert.Equal(128, options.TxnOperationsMax);
        Assert.Equal(AutoCompactionMode.Off, options.AutoCompactionMode);
        Assert.Equal(TimeSpan.FromSeconds(7), options.RequestTimeout);
    }

    [Theory]
    [InlineData("--name=a")]
    [InlineData("-name=a")]
    [InlineData("--name", "a")]
    [InlineData("-name", "a")]
    public void A_flag_is_taken_in_each_form_of_Go(params string[] arguments) => Assert.Equal("a", Options(arguments).Name);

    [Theory]
    [InlineData(true, "--unsafe-no-fsync")]
    [InlineData(true, "-unsafe-no-fsync")]
    [InlineData(true, "--unsafe-no-fsync=true")]
    [InlineData(true, "--unsafe-no-fsync=1")]
    [InlineData(false, "--unsafe-no-fsync=false")]
    [InlineData(false, "--unsafe-no-fsync=F")]
    public void A_boolean_stands_alone_or_with_a_value(bool expected, string argument) => Assert.Equal(expected, Options(argument).UnsafeNoSync);

    [Theory]
    [InlineData("unknown flag --data-dri; did you mean --data-dir?", "--data-dri", "x")]
    [InlineData("unknown flag --listen-clients-urls; did you mean --listen-client-urls?", "--listen-clients-urls=x")]
    [InlineData("unknown flag --zzzzzzzzzzzzzzzzzzzzzzzzzzz; see --help", "--zzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    [InlineData("'serve' is not a valid flag; see --help", "serve")]
    [InlineData("--name needs a value", "--name")]
    [InlineData("invalid value \"x\" for --heartbeat-interval: expected a whole number", "--heartbeat-interval", "x")]
    [InlineData("invalid value \"maybe\" for --pre-vote: expected true or false", "--pre-vote=maybe")]
    [InlineData("invalid value \"5\" for --grpc-keepalive-timeout: expected a duration such as 500ms, 5s or 1h30m", "--grpc-keepalive-timeout=5")]
    [InlineData("--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]", "--heartbeat-interval=300")]
    [InlineData("--election-timeout[60000ms] is too long, and should be set less than 50000ms", "--election-timeout=60000")]
    [InlineData("--advertise-client-urls is required when --listen-client-urls is set explicitly", "--listen-client-urls=http://127.0.0.1:1")]
    [InlineData("--initial-cluster-state must be 'new' or 'existing', not 'old'", "--initial-cluster-state=old")]
    [InlineData("expected IP in URL for binding (http://example.com:1) in --listen-peer-urls", "--listen-peer-urls=http://example.com:1")]
    [InlineData("couldn't find local name \"default\" in the initial cluster configuration; add default=http://localhost:2380 to --initial-cluster", "--initial-cluster=a=http://127.0.0.1:2380")]
    [InlineData("--cert-file and --key-file must both be present[cert: /x, key: ]", "--cert-file", "/x")]
    [InlineData("TLS key/cert (--cert-file, --key-file) must be provided for client url https://127.0.0.1:1 with HTTPS scheme", "--listen-client-urls=https://127.0.0.1:1", "--advertise-client-urls=https://127.0.0.1:1")]
    [InlineData("TLS key/cert (--peer-cert-file, --peer-key-file) must be provided for peer url https://127.0.0.1:1 with HTTPS scheme", "--listen-peer-urls=https://127.0.0.1:1")]
    [InlineData("--peer-cert-allowed-cn and --peer-cert-allowed-hostname are mutually exclusive; give one of them", "--peer-cert-allowed-cn=a", "--peer-cert-allowed-hostname=b")]
    [InlineData("unexpected TLS version \"TLS1.1\" for --tls-min-version, must be one of: TLS1.2, TLS1.3", "--tls-min-version=TLS1.1")]
    [InlineData("min version (TLS1.3) is greater than max version (TLS1.2)", "--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2")]
    [InlineData("cipher suites cannot be configured when only TLS1.3 is enabled", "--tls-min-version=TLS1.3", "--cipher-suites=TLS_AES_128_GCM_SHA256")]
    [InlineData("unexpected TLS cipher suite \"RC4\" in --cipher-suites", "--cipher-suites=RC4")]
    [InlineData("URL address does not have the form \"host:port\": http://127.0.0.1 in --advertise-client-urls", "--advertise-client-urls=http://127.0.0.1")]
    [InlineData("TLS key/cert (--cert-file, --key-file) must be provided for client url unixs:///run/s with HTTPS scheme", "--listen-client-urls=unixs:///run/s", "--advertise-client-urls=unixs:///run/s")]
    [InlineData("unix:///run/s in --listen-peer-urls: unix sockets are for clients alone; use http://", "--listen-peer-urls=unix:///run/s")]
    [InlineData("'unix://a:b' in --listen-client-urls is not a URL such as unix:///run/store.sock", "--listen-client-urls=unix://a:b", "--advertise-client-urls=http://127.0.0.1:1")]
    [InlineData("--enable-log-rotation needs a file in --log-outputs", "--enable-log-rotation")]
    [InlineData("--log-outputs: 'default' stands alone; name stderr or stdout beside files", "--log-outputs=default,/tmp/x")]
    [InlineData("--distributed-tracing-address must be a host and a port such as localhost:4317, not 'http://x'", "--enable-distributed-tracing", "--distributed-tracing-address=http://x")]
    [InlineData("--auto-compaction-retention must be hours or a duration such as 30m, not 'x'", "--auto-compaction-retention=x")]
    [InlineData("--auto-compaction-retention must be a number of revisions in the revision mode, not '1h'", "--auto-compaction-mode=revision", "--auto-compaction-retention=1h")]
    [InlineData("--watch-progress-notify-interval must be at least 100ms", "--watch-progress-notify-interval=10ms")]
    [InlineData("--grpc-keepalive-interval must be 0s (off) or between 1s and 87600h, not 500ms", "--grpc-keepalive-interval=500ms")]
    [InlineData("--grpc-keepalive-interval must be 0s (off) or between 1s and 87600h, not -1s", "--grpc-keepalive-interval=-1s")]
    [InlineData("--grpc-keepalive-timeout must be between 1s and 87600h, not 500ms", "--grpc-keepalive-timeout=500ms")]
    [InlineData("--grpc-keepalive-timeout must be between 1s and 87600h, not 0s", "--grpc-keepalive-timeout=0s")]
    [InlineData("--auto-compaction-retention must be at most 87600h (10 years), not '9223372036854775807'", "--auto-compaction-retention=9223372036854775807")]
    [InlineData("--auto-compaction-retention must be at most 87600h (10 years), not '87601h'", "--auto-compaction-retention=87601h")]
    [InlineData("--max-request-bytes must be between 1 and 33554432, not 33554433", "--max-request-bytes=33554433")]
    public void What_cannot_be_used_is_one_clear_line(string expected, params string[] arguments) => Assert.Equal(expected, Error(arguments));

    [Theory]
    [InlineData("--auto-tls=false")]
    [InlineData("--auth-token=simple")]
    [InlineData("--logger=zap")]
    [InlineData("--enable-pprof")]
    [InlineData("--feature-gates=InitialCorruptCheck=true")]
    [InlineData("--experimental-initial-corrupt-check=true")]
    public void Flags_that_manifests_pass_and_that_change_nothing_here_are_taken(string argument) => Options(argument);

    [Fact]
    public void The_command_line_comes_before_ETCD_variables_and_those_before_STORE_ones()
    {
        var environment = new Dictionary<string, string> { ["ETCD_NAME"] = "etcd", ["STORE_NAME"] = "store", ["STORE_DATA_DIR"] = "/data" };
        string? Get(string name) => environment.GetValueOrDefault(name);

        Assert.Equal("flag", Options(Get, "--name=flag").Name);
        Assert.Equal("etcd", Options(Get).Name);
        environment.Remove("ETCD_NAME");
        Assert.Equal("store", Options(Get).Name);
        Assert.Equal("/data", Options(Get).DataDirectory);
    }

    [Fact]
    public void A_bad_variable_is_named_in_the_error()
    {
        var wrong = Assert.IsType<CommandLine.Wrong>(CommandLine.Parse([], name => name == "ETCD_MAX_TXN_OPS" ? "many" : null));
        Assert.Equal("invalid value \"many\" for ETCD_MAX_TXN_OPS: expected a whole number", wrong.Message);
    }

    [Fact]
    public void A_cluster_is_read_in_name_order_with_all_urls_of_a_name()
    {
        var options = Options("--name=b", "--initial-cluster=b=http://127.0.0.1:2,a=http://127.0.0.1:1,b=http://127.0.0.2:2", "--initial-advertise-peer-urls=http://127.0.0.1:2,http://127.0.0.2:2");
        Assert.Equal(["a", "b"], options.InitialCluster.Select(m => m.Name));
        Assert.Equal(["http://127.0.0.1:2", "http://127.0.0.2:2"], options.InitialCluster[1].PeerUrls);
    }

    [Theory]
    [InlineData(AutoCompactionMode.Periodic, 3_600, 0, "--auto-compaction-retention=1")]
    [InlineData(AutoCompactionMode.Periodic, 1_800, 0, "--auto-compaction-retention=30m")]
    [InlineData(AutoCompactionMode.Off, 0, 0, "--auto-compaction-retention=0")]
    [InlineData(AutoCompactionMode.Revision, 0, 1000, "--auto-compaction-mode=revision", "--auto-compaction-retention=1000")]
    public void Retention_is_hours_a_duration_or_a_count(AutoCompactionMode mode, int seconds, long revisions, params string[] arguments)
    {
        var options = Options(arguments);
        Assert.Equal((mode, TimeSpan.FromSeconds(seconds), revisions), (options.AutoCompactionMode, options.AutoCompactionPeriod, options.AutoCompactionRevisions));
    }

    [Fact]
    public void No_keepalive_interval_means_no_pings() => Assert.Equal(Timeout.InfiniteTimeSpan, Options("--grpc-keepalive-interval=0s").KeepAliveInterval);

    [Theory]
    [InlineData("--snapshot-catchup-entries=7")]
    [InlineData("--experimental-snapshot-catchup-entries=7")]
    public void The_old_name_of_the_catch_up_entries_is_heard_like_the_new_one(string argument) => Assert.Equal(7, Options(argument).SnapshotCatchUpEntries);

    [Theory]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("100ms", 100)]
    [InlineData("0", 0)]
    [InlineData("-5s", -5_000)]
    [InlineData("2h0m0s", 7_200_000)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("1x", null)]
    [InlineData("", null)]
    public void Durations_are_read_as_Go_reads_them(string text, int? milliseconds) =>
        Assert.Equal(milliseconds, (int?)FlagSyntax.Duration(text)?.TotalMilliseconds);

    [Theory]
    [InlineData("--version")]
    [InlineData("-version")]
    [InlineData("version")]
    public void The_version_starts_with_etcds_line(string argument)
    {
        var text = Assert.IsType<CommandLine.Print>(CommandLine.Parse([argument], _ => null)).Text;
        Assert.Matches(@"^etcd Version: 3\.7\.\d+\n", text);
        Assert.Contains("\nStore Version: ", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public void Help_names_the_flags(string argument) =>
        Assert.Contains("--initial-cluster-token 'etcd-cluster'", Assert.IsType<CommandLine.Print>(CommandLine.Parse([argument], _ => null)).Text, StringComparison.Ordinal);

    [Fact]
    public void Every_default_is_a_valid_value_of_its_kind() =>
        Assert.All(FlagTable.All, flag => Assert.True(flag.Kind switch
        {
            FlagKind.Boolean => FlagSyntax.Boolean(flag.Default) is not null,
            FlagKind.Number => FlagSyntax.Number(flag.Default) is not null,
            FlagKind.Duration => FlagSyntax.Duration(flag.Default) is not null,
            _ => true,
        }, flag.Name));
}
