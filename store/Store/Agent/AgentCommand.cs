using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Store.Agent;
using Store.Server;
using Store.Storage;

namespace Store;

/// <summary>`store agent`: the backup agent beside a member, from its flags to its end.</summary>
static class AgentCommand
{
    const string Name = "store agent";

    const string Help =
        """
        Usage:
          store agent --location LOCATION [flags]      Back up the cluster of the member beside it, for as long as it runs.

        Run one beside each member; they find out by themselves whose turn it is.

        Where to:
          --location LOCATION                          A folder (of a volume of its own), s3://BUCKET/PREFIX or azblob://CONTAINER/PREFIX.
          --s3-endpoint URL, --s3-region NAME          Of a server that speaks like S3; Amazon's own if not given.
          --s3-path-style                              The bucket in the path, as most such servers want it.
          --s3-credentials-dir FOLDER                  With files access-key-id, secret-access-key and perhaps session-token; what Amazon's tools take if not given.
          --azure-account NAME                         The storage account, unless the credentials name it.
          --azure-endpoint URL                         Of its blob service, for emulators and other clouds; https://NAME.blob.core.windows.net if not given.
          --azure-credentials-dir FOLDER               With a file connection-string, account-key or sas-token, and perhaps account-name; AZURE_STORAGE_CONNECTION_STRING,
                                                       _KEY, _SAS_TOKEN and _ACCOUNT if not given.
          --encryption-key-file FILE                   Encrypt with AES-256-GCM: 32 bytes, or these in hexadecimal or base64.
          --scratch-dir 'agent-scratch'                For unfinished backups and drills: up to four times the size of the store.

        From where:
          --endpoint 'http://127.0.0.1:2379'           The client URL of the member.
          --cacert FILE, --cert FILE, --key FILE       As etcdctl's.
          --user NAME, --password-file FILE            A user with the root role, when authentication is on.

        When:
          --delta-interval 2s                          How far the backup may lag behind the writes.
          --full-interval 6h                           From one full backup to the next.
          --full-rate-limit 67108864                   Bytes a second that a full backup reads, stores and verifies at most; 0 for as many as there can be. Deltas go on beside it.
          --drill-interval 168h                        How often the newest backup is restored for practice; 0s for never.

        What is kept:
          --keep-hourly 24, --keep-daily 7, --keep-weekly 5
                                                       Of so many hours, days and weeks the newest full backup; every revision from the oldest hourly one on.
          --keep-min 2                                 So many full backups, however old.
          --garbage-grace 6h                           How old an object must be that belongs to no backup before it is removed.

        Seeing inside:
          --listen-metrics-urls 'http://127.0.0.1:2385'    /metrics, /status (JSON) and /health; without --cert also POST /full, for a full backup now.
          --listen-control-urls 'https://0.0.0.0:2386'     POST /full over mutual TLS, with --cert, --key and --cacert; nowhere if not given.
          --log-level 'info', --log-format 'json'          As the store's.
        """;

    static readonly string[] Flags =
    [
        "location", "encryption-key-file", "scratch-dir", "endpoint", "cacert", "cert", "key", "user", "password-file", "delta-interval", "full-interval", "full-rate-limit", "drill-interval",
        "keep-hourly", "keep-daily", "keep-weekly", "keep-min", "garbage-grace", "listen-metrics-urls", "listen-control-urls", "log-level", "log-format", .. LocationFlags.All, "help",
    ];

    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            var given = CommandArguments.Parse(Name, arguments, Flags, LocationFlags.Booleans);
            if (given.WantsHelp)
            {
                Console.WriteLine(Help);
                return 0;
            }
            var logs = LogsOf(given);
            using var lines = new LogLines(LogOutput.Open(logs, TimeProvider.System), logs, TimeProvider.System);
            using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
            using var stopping = new CancellationTokenSource();
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            await AgentProcess.RunAsync(OptionsOf(given), ServerVersion.Own, logging, stopping.Token);
            return 0;

            void Stop(PosixSignalContext signal)
            {
                signal.Cancel = true;
                stopping.Cancel();
            }
        }
        catch (Exception e) when (e is FlagException or BackupException or StorageException)
        {
            await Console.Error.WriteLineAsync("store: " + e.Message);
            return 1;
        }
    }

    static AgentOptions OptionsOf(CommandArguments given)
    {
        if (!given.Has("location")) throw new FlagException("--location is missing: say where to keep backups; see store agent --help");
        return new()
        {
            Location = LocationFlags.Read(given, "location"),
            EncryptionKeyFile = given.TextOrNull("encryption-key-file"),
            ScratchFolder = Path.GetFullPath(given.TextOrNull("scratch-dir") ?? "agent-scratch"),
            Member = MemberOf(given),
            Schedule = new(
                Positive(given, "full-interval", BackupSchedule.Default.FullInterval), Positive(given, "delta-interval", BackupSchedule.Default.DeltaInterval)),
            Retention = new(
                Count(given, "keep-hourly", RetentionPolicy.Default.Hourly), Count(given, "keep-daily", RetentionPolicy.Default.Daily),
                Count(given, "keep-weekly", RetentionPolicy.Default.Weekly), Count(given, "keep-min", RetentionPolicy.Default.FullMin)),
            FullRateLimit = given.Number("full-rate-limit") ?? 64 << 20,
            DrillInterval = given.Duration("drill-interval") ?? TimeSpan.FromDays(7),
            GarbageGrace = Positive(given, "garbage-grace", TimeSpan.FromHours(6)),
            ListenUrl = UrlOf(given, "listen-metrics-urls", "http://127.0.0.1:2385"),
            ControlUrl = given.Has("listen-control-urls") ? UrlOf(given, "listen-control-urls", "https://0.0.0.0:2386") : null,
        };
    }

    static MemberOptions MemberOf(CommandArguments given)
    {
        if (given.Has("cert") != given.Has("key")) throw new FlagException("--cert and --key go together");
        if (given.Has("user") != given.Has("password-file")) throw new FlagException("--user and --password-file go together");
        return new(
            UrlOf(given, "endpoint", "http://127.0.0.1:2379"), given.TextOrNull("cacert"), given.TextOrNull("cert"), given.TextOrNull("key"), given.TextOrNull("user"),
            given.TextOrNull("password-file"));
    }

    static Uri UrlOf(CommandArguments given, string name, string orElse)
    {
        var text = given.TextOrNull(name) ?? orElse;
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new FlagException($"--{name} must be a URL such as {orElse}, not '{text}'");
    }

    static TimeSpan Positive(CommandArguments given, string name, TimeSpan orElse) =>
        given.Duration(name) is not { } duration ? orElse
        : duration > TimeSpan.Zero ? duration
        : throw new FlagException($"--{name} must be longer than nothing");

    static int Count(CommandArguments given, string name, int orElse) =>
        given.Number(name) is not { } number ? orElse
        : number <= 100_000 ? (int)number
        : throw new FlagException($"--{name} must be at most 100000, not {number}");

    /// <summary>By the rules of the store's own flags.</summary>
    static LogOptions LogsOf(CommandArguments given)
    {
        string[] names = ["log-level", "log-format"];
        return CommandLine.Parse([.. names.Where(given.Has).Select(name => $"--{name}={given.Text(name)}")], _ => null) switch
        {
            CommandLine.Serve serve => serve.Options.Log,
            CommandLine.Wrong wrong => throw new FlagException(wrong.Message),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
