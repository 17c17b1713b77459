using System.Globalization;
using Store.Storage;

namespace Store.Agent;

/// <summary>
/// Has every thread of the agent stand back behind the member's, which share its processors: compressing and checking can wait for a few milliseconds, a write cannot.
/// Linux keeps priorities by thread, and a thread has its maker's: all that are there are lowered, and those that come will be low. Between containers, where each is
/// a group of its own, their requests for processor time decide instead.
/// </summary>
static class LowPriority
{
    /// <summary>A tenth of the member's share while both want all of a processor: backups still keep up on a machine that is busy for hours.</summary>
    const int Niceness = 10;

    /// <summary>Best effort: without it the agent works as well, at a higher price.</summary>
    public static void Take()
    {
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
            _ = LibC.SetPriority(LibC.PriorityOfThread, int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), Niceness);
    }
}
