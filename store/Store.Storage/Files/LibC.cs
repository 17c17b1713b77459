using System.Runtime.InteropServices;

namespace Store.Storage;

/// <summary>The few calls of the C library that .NET does not offer.</summary>
static partial class LibC
{
    /// <summary>O_RDONLY with O_CLOEXEC, which has this value on x86-64 and arm64 alike.</summary>
    internal const int OpenForReading = 0x80000;

    internal const int Interrupted = 4;

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    internal static partial int DataSync(SafeHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int file);

    internal const int AlreadyExists = 17;

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(string path, string other);

    /// <summary>PRIO_PROCESS, which is one thread on Linux.</summary>
    internal const int PriorityOfThread = 0;

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int thread, int niceness);
}
