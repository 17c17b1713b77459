using Microsoft.Extensions.Logging;
using Xunit;

namespace Store.Server.Tests;

public sealed class ConfigFileTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("store-config-").FullName;

    string File => Path.Combine(folder, "etcd.conf.yml");

    [Fact]
    public void A_file_as_etcd_ships_it_is_read()
    {
        // The keys of etcd's sample, also those that are long gone.
        var options = Read(
            """
            # This is the configuration file for the etcd server.
            name: 's1'
            data-dir: /var/lib/store
            wal-dir:
            snapshot-count: 10000
            heartbeat-interval: 100
            election-timeout: 1000
            quota-backend-bytes: 0
            listen-peer-urls: http://127.0.0.1:2380
            listen-client-urls: http://127.0.0.1:2379,http://127.0.0.2:2379
            max-snapshots: 5
            max-wals: 5
            cors:
            initial-advertise-peer-urls: http://127.0.0.1:2380
            advertise-client-urls: http://127.0.0.1:2379
            discovery:
            discovery-fallback: 'proxy'
            discovery-proxy:
            discovery-srv:
            initial-cluster:
            initial-cluster-token: 'etcd-cluster'
            initial-cluster-state: 'new'
            strict-reconfig-check: false
            enable-pprof: true
            proxy: 'off'
            proxy-failure-wait: 5000
            client-transport-security:
              cert-file:
              key-file:
              client-cert-auth: false
              trusted-ca-file:
              auto-tls: false
            peer-transport-security:
              cert-file:
              client-cert-auth: false
              allowed-cn:
              allowed-hostname:
            self-signed-cert-validity: 1
            log-level: debug
            logger: zap
            log-outputs: [stderr, /tmp/etcd.log]
            force-new-cluster: false
            auto-compaction-mode: periodic
            auto-compaction-retention: "1"
            cipher-suites: []
            tls-min-version: 'TLS1.2'
            grpc-keepalive-interval: 7200000000000
            watch-progress-notify-interval: 5s
            """);
        Assert.Equal(("s1", "/var/lib/store"), (options.Name, options.DataDirectory));
        Assert.Equal(2, options.ListenClientUrls.Length);
        Assert.False(options.StrictReconfigCheck);
        Assert.Equal((LogLevel.Debug, 2), (options.Log.Level, options.Log.Outputs.Length));
        Assert.Equal((TimeSpan.FromHours(2), TimeSpan.FromSeconds(5), TimeSpan.FromHours(1)), (options.KeepAliveInterval, options.WatchProgressInterval, options.AutoCompactionPeriod));
        Assert.Equal(
            [$"--config-file {File}: proxy at line 25 is not known and has no effect", $"--config-file {File}: proxy-failure-wait at line 26 is not known and has no effect"],
            options.Notices.Select(notice => notice.Split(';')[0]));
    }

    [Fact]
    public void Beside_a_file_nothing_else_counts_and_that_is_said()
    {
        System.IO.File.WriteAllText(File, "name: file");
        var options = Assert.IsType<CommandLine.Serve>(CommandLine.Parse(
            ["--max-learners=2", "--config-file", File], name => name == "ETCD_NAME" ? "environment" : null)).Options;
        Assert.Equal(("file", 1), (options.Name, options.LearnersMax));
        Assert.Equal($"--config-file {File} is all that counts; these are ignored: --max-learners, --name", Assert.Single(options.Notices));
    }

    [Fact]
    public void The_file_can_be_named_in_the_environment()
    {
        System.IO.File.WriteAllText(File, "name: file");
        Assert.Equal("file", Assert.IsType<CommandLine.Serve>(CommandLine.Parse([], name => name == "ETCD_CONFIG_FILE" ? File : null)).Options.Name);
    }

    [Fact]
    public void The_sections_of_TLS_mean_the_flags_of_TLS()
    {
        var options = Read(
            """
            client-transport-security: { cert-file: /c, key-file: /k, trusted-ca-file: /ca }
            peer-transport-security: { cert-file: /pc, key-file: /pk, trusted-ca-file: /pca, allowed-cn: peer }
            """);
        Assert.Equal(("/c", "/pc", "/pca"), (options.ClientTls.CertFile, options.PeerTls.CertFile, options.PeerTls.TrustedCaFile));
    }

    [Theory]
    [InlineData("is not YAML at line 1", "name: 'x")]
    [InlineData("must hold keys and values, such as \"name: s1\"", "- name")]
    [InlineData("data-dir at line 1 must be a value, not a section", "data-dir: { a: b }")]
    [InlineData("expected a whole number", "heartbeat-interval: fast")]
    public void What_is_no_configuration_is_one_clear_line(string expected, string text)
    {
        System.IO.File.WriteAllText(File, text);
        var message = Assert.IsType<CommandLine.Wrong>(CommandLine.Parse(["--config-file", File], _ => null)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(File, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_one_clear_line() =>
        Assert.StartsWith($"--config-file {File} cannot be read: ", Assert.IsType<CommandLine.Wrong>(CommandLine.Parse(["--config-file", File], _ => null)).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    ServerOptions Read(string text)
    {
        System.IO.File.WriteAllText(File, text);
        return Assert.IsType<CommandLine.Serve>(CommandLine.Parse(["--config-file", File], _ => null)).Options;
    }
}
