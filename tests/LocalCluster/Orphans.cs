using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LocalCluster;

/// <summary>Ends whatever this program started when it ends itself, also on Ctrl-C and SIGTERM: a test run leaves no servers behind.</summary>
static class Orphans
{
    static readonly List<Process> Started = [];
    static readonly PosixSignalRegistration[] Signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => KillAll()),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => KillAll()),
    ];

    static Orphans() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        KillAll();
        GC.KeepAlive(Signals);
    };

    public static void Watch(Process process)
    {
        lock (Started)
            Started.Add(process);
    }

    static void KillAll()
    {
        lock (Started)
        {
            foreach (var process in Started)
            {
                try
                {
                    process.Kill();
                }
                catch (InvalidOperationException)
                {
                    // It has ended or was disposed of by its owner: nothing to end.
                }
            }
        }
    }
}
