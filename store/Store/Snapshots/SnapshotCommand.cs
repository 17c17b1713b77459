using Store.Agent;
using Store.Server;
using Store.State;
using Store.Storage;

namespace Store;

/// <summary>`store snapshot status|restore`: what etcdutl does, with its flags and its forms of output; and a restore from what the backup agent stored.</summary>
static class SnapshotCommand
{
    const string Name = "store snapshot";

    /// <summary>Flags that the start of a member has, too.</summary>
    static readonly string[] OfMember = ["data-dir", "wal-dir", "name", "initial-cluster", "initial-cluster-token", "initial-advertise-peer-urls"];
    static readonly string[] OfStatus = ["write-out", "help"];
    static readonly string[] OfRestore =
        [.. OfMember, "skip-hash-check", "bump-revision", "above-revision", "mark-compacted", "initial-memory-map-size", "once", .. BackupSource.Flags, .. OfStatus];

    const string Help =
        """
        Usage:
          store snapshot status FILE       Tell hash, revision, number of keys and size of a snapshot.
          store snapshot restore FILE      Make the data directory of one member of a new cluster.
          store snapshot restore --from LOCATION
                                           The same from backups that `store agent` stored.

        The file is what `etcdctl snapshot save` wrote, from etcd or from this store.

        Flags of both:
          -w, --write-out 'simple'                                        simple, table, json or fields.

        Flags of restore:
          --data-dir '<name>.etcd'                                        The data directory to make; it must not be there, or be empty.
          --name 'default'                                                Human-readable name of this member.
          --initial-cluster 'default=http://localhost:2380'               Members of the new cluster: name=peer-url,...
          --initial-cluster-token 'etcd-cluster'                          Makes ids of different clusters differ.
          --initial-advertise-peer-urls 'http://localhost:2380'           This member's peer URLs for the rest of the cluster.
          --wal-dir ''                                                    A folder of its own for the log.
          --skip-hash-check                                               For a database copied out of a data directory.
          --bump-revision 1000000000                                      How much to raise the revision by, so that none is handed out twice; 0 goes on where the snapshot ends.
          --above-revision 0                                              A revision that was handed out already: what is restored is raised to it before --bump-revision is added.
          --mark-compacted                                                Everything up to the new revision counts as compacted, so that watchers begin anew (always so when the revision is raised).

          --once                                                          Do nothing where this member is restored already, and start over where a restore was interrupted.

        Flags of restore --from:
          --from LOCATION                                                 Where the agent stored them, as its --location.
          --to-time TIME                                                  The state of this moment, such as 2026-11-27T20:34:00Z, and nothing later; the latest if neither is given.
          --to-revision N                                                 The state of this revision.
          --backup-cluster ID                                             Which cluster's backups, if there are several, in hexadecimal.
          --s3-endpoint, --s3-region, --s3-path-style, --s3-credentials-dir, --azure-account, --azure-endpoint, --azure-credentials-dir
                                                                          As the agent's.
          --encryption-key-file FILE                                      The key that they are encrypted with.
          --scratch-dir FOLDER                                            Takes the backups unpacked; a folder beside the data directory if not given.

        Every member is restored from the same file, or to the same revision, with the same --initial-cluster, --initial-cluster-token, --bump-revision and --above-revision, and then started with these flags.
        """;

    public static int Run(string[] arguments, TextWriter output, TextWriter error)
    {
        try
        {
            output.WriteLine(Answer(arguments));
            return 0;
        }
        catch (Exception e) when (e is FlagException or BootException or StorageException or BackupException)
        {
            error.WriteLine("store: " + e.Message);
            return 1;
        }
    }

    static string Answer(string[] arguments) => arguments switch
    {
        ["status", .. var rest] => Status(CommandArguments.Parse(Name, rest, OfStatus)),
        ["restore", .. var rest] => Restore(CommandArguments.Parse(Name, rest, OfRestore, ["skip-hash-check", "mark-compacted", "once", .. LocationFlags.Booleans])),
        [] or ["--help" or "-h" or "help"] => Help,
        [var other, ..] => throw new FlagException($"unknown command 'snapshot {other}': it is 'snapshot status' or 'snapshot restore'; see store snapshot --help"),
    };

    static string Status(CommandArguments arguments)
    {
        if (arguments.WantsHelp) return Help;
        using var snapshot = SnapshotArchive.Open(arguments.File, HashCheck.IfThere);
        return StatusReport.Write(snapshot.Status(), arguments.Output);
    }

    static string Restore(CommandArguments arguments)
    {
        if (arguments.WantsHelp) return Help;
        var options = OptionsOf(arguments);
        var member = MemberOf(arguments);
        var (clusterId, self, members) = InitialMembership.Of(member);
        if (arguments.Has("once") && member.WalDirectory is not null) throw new FlagException("--once and --wal-dir do not go together");
        if (arguments.Has("once") && SnapshotRestore.IsDone(member.DataDirectory, new(clusterId, self))) return $"{member.DataDirectory} holds member {self} already";
        RestoredState Make(Func<string, IEnumerable<BackendPair>> read, RestoreOptions how) =>
            SnapshotRestore.Run(read, member.DataDirectory, member.WalDirectory, new(clusterId, self), InitialMembership.Entries(members), how);

        if (BackupSource.Of(arguments) is { } backups)
        {
            var (told, plan) = backups.Restore(member.DataDirectory, options, Make);
            return StatusReport.Write(told, new(clusterId, self), member.DataDirectory, arguments.Output, plan);
        }

        using var snapshot = SnapshotArchive.Open(arguments.File, arguments.Has("skip-hash-check") ? HashCheck.Skipped : HashCheck.Required);
        return StatusReport.Write(Make(snapshot.Read, options), new(clusterId, self), member.DataDirectory, arguments.Output);
    }

    /// <summary>The start of a member knows these flags, and how they must fit together.</summary>
    static ServerOptions MemberOf(CommandArguments arguments)
    {
        var flags = OfMember.Where(arguments.Has).Select(name => $"--{name}={arguments.Text(name)}").ToList();
        return CommandLine.Parse(flags, _ => null) switch
        {
            CommandLine.Serve serve => serve.Options,
            CommandLine.Wrong wrong => throw new FlagException(wrong.Message),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    static RestoreOptions OptionsOf(CommandArguments arguments)
    {
        var bump = arguments.Number("bump-revision") ?? RestoreOptions.Default.BumpRevision;
        var mark = arguments.Boolean("mark-compacted") ?? bump > 0;
        if (bump > 0 != mark)
            throw new FlagException("--mark-compacted and a --bump-revision above 0 go together: without the mark watchers would wait for revisions that nobody writes");
        var above = arguments.Number("above-revision") ?? 0;
        if (above > 0 && bump == 0) throw new FlagException("--above-revision goes with a --bump-revision above 0: what is restored has to differ from what was handed out");
        return new(bump, mark) { AboveRevision = above };
    }
}
