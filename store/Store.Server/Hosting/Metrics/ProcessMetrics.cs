using System.Diagnostics;

namespace Store.Server;

/// <summary>What Prometheus' Go client reports of every process, from /proc: dashboards draw memory and descriptors from it.</summary>
static class ProcessMetrics
{
    const string Folder = "/proc/self";

    /// <summary>Kernel clock ticks a second in /proc: fixed at 100 on every Linux that .NET runs on.</summary>
    const double TicksPerSecond = 100;

    public static void Observe()
    {
        var startTime = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeMilliseconds() / 1000.0;
        var (_, fdLimit) = Limit("Max open files");
        Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => Environment.WorkingSet);
        Gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", () => Field("/proc/self/statm", 0) * Environment.SystemPageSize);
        Gauge("process_open_fds", "Number of open file descriptors.", OpenFiles);
        Gauge("process_max_fds", "Maximum number of open file descriptors.", () => fdLimit);
        Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", () => startTime);
        Gauge("os_fd_used", "The number of used file descriptors.", OpenFiles);
        Gauge("os_fd_limit", "The file descriptor limit.", () => fdLimit);
        StoreMetrics.Meter.CreateObservableCounter("process_cpu_seconds_total", CpuSeconds, null, "Total user and system CPU time spent in seconds.");
    }

    static double OpenFiles() => Directory.EnumerateFileSystemEntries(Folder + "/fd").Count();

    /// <summary>Fields 14 and 15 of stat, counted behind the command's name, which may hold spaces.</summary>
    static double CpuSeconds()
    {
        var stat = File.ReadAllText(Folder + "/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11]) + double.Parse(fields[12])) / TicksPerSecond;
    }

    static double Field(string file, int index) => double.Parse(File.ReadAllText(file).Split(' ')[index]);

    static (double Hard, double Soft) Limit(string name)
    {
        var line = File.ReadLines(Folder + "/limits").First(l => l.StartsWith(name, StringComparison.Ordinal));
        var values = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (Value(values[1]), Value(values[0]));

        static double Value(string text) => text == "unlimited" ? double.MaxValue : double.Parse(text);
    }

    static void Gauge(string name, string help, Func<double> value) => StoreMetrics.Meter.CreateObservableGauge(name, value, null, help);
}
