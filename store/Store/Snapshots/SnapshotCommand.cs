using Store.Server;
using Store.State;
using Store.Storage;

namespace Store;

/// <summary>`store snapshot status|restore`: what etcdutl does, with its flags and its forms of output.</summary>
static class SnapshotCommand
{
    const string Help =
        """
        Usage:
          store snapshot status FILE       Tell hash, revision, number of keys and size of a snapshot.
          store snapshot restore FILE      Make the data directory of one member of a new cluster.

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
          --mark-compacted                                                Everything up to the new revision counts as compacted, so that watchers begin anew (always so when the revision is raised).

        Every member is restored from the same file with the same --initial-cluster, --initial-cluster-token and --bump-revision, and then started with these flags.
        """;

    public static int Run(string[] arguments, TextWriter output, TextWriter error)
    {
        try
        {
            output.WriteLine(Answer(arguments));
            return 0;
        }
        catch (Exception e) when (e is FlagException or BootException or StorageException)
        {
            error.WriteLine("store: " + e.Message);
            return 1;
        }
    }

    static string Answer(string[] arguments) => arguments switch
    {
        ["status", .. var rest] => Status(SnapshotArguments.Parse(rest, SnapshotArguments.OfStatus)),
        ["restore", .. var rest] => Restore(SnapshotArguments.Parse(rest, SnapshotArguments.OfRestore)),
        [] or ["--help" or "-h" or "help"] => Help,
        [var other, ..] => throw new FlagException($"unknown command 'snapshot {other}': it is 'snapshot status' or 'snapshot restore'; see store snapshot --help"),
    };

    static string Status(SnapshotArguments arguments)
    {
        if (arguments.WantsHelp) return Help;
        using var snapshot = SnapshotArchive.Open(arguments.File, HashCheck.IfThere);
        return StatusReport.Write(snapshot.Status(), arguments.Output);
    }

    static string Restore(SnapshotArguments arguments)
    {
        if (arguments.WantsHelp) return Help;
        var options = OptionsOf(arguments);
        var member = MemberOf(arguments);
        var (clusterId, self, members) = InitialMembership.Of(member);
        using var snapshot = SnapshotArchive.Open(arguments.File, arguments.Has("skip-hash-check") ? HashCheck.Skipped : HashCheck.Required);
        var restored = SnapshotRestore.Run(
            snapshot, member.DataDirectory, member.WalDirectory, new(clusterId, self), InitialMembership.Entries(members), options);
        return StatusReport.Write(restored, new(clusterId, self), member.DataDirectory, arguments.Output);
    }

    /// <summary>The start of a member knows these flags, and how they must fit together.</summary>
    static ServerOptions MemberOf(SnapshotArguments arguments)
    {
        var flags = SnapshotArguments.OfMember.Where(arguments.Has).Select(name => $"--{name}={arguments.Text(name)}").ToList();
        return CommandLine.Parse(flags, _ => null) switch
        {
            CommandLine.Serve serve => serve.Options,
            CommandLine.Wrong wrong => throw new FlagException(wrong.Message),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    static RestoreOptions OptionsOf(SnapshotArguments arguments)
    {
        var bump = arguments.Number("bump-revision") ?? RestoreOptions.Default.BumpRevision;
        var mark = arguments.Boolean("mark-compacted") ?? bump > 0;
        if (bump > 0 != mark)
            throw new FlagException("--mark-compacted and a --bump-revision above 0 go together: without the mark watchers would wait for revisions that nobody writes");
        return new(bump, mark);
    }
}
