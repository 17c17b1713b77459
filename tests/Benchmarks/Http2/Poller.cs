using System.Runtime.InteropServices;

namespace Benchmarks;

/// <summary>poll(2) over all connections: one thread serves them, so the generator never competes with itself for the cores.</summary>
sealed partial class Poller(IReadOnlyList<Http2Connection> connections)
{
    const short PollIn = 1;
    const short PollOut = 4;

    readonly PollEntry[] entries = [.. connections.Select(c => new PollEntry { Handle = c.Handle })];

    /// <summary>Waits up to the timeout, reads from every connection with something to say and sends what piled up.</summary>
    public void Turn(int timeoutMilliseconds)
    {
        for (var i = 0; i < entries.Length; i++)
            entries[i].Wanted = connections[i].WantsToWrite ? (short)(PollIn | PollOut) : PollIn;
        if (poll(ref entries[0], (nuint)entries.Length, timeoutMilliseconds) <= 0)
            return;
        for (var i = 0; i < entries.Length; i++)
        {
            if ((entries[i].Happened & ~PollOut) != 0)
                connections[i].ReadAvailable();
            if (connections[i].WantsToWrite)
                connections[i].Flush();
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    struct PollEntry
    {
        public int Handle;
        public short Wanted;
        public short Happened;
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int poll(ref PollEntry entries, nuint count, int timeout);
}
