using System.Diagnostics;
using Store.Simulation;

// store simulation: runs seeds until one breaks a guarantee.
//   --seed N       the first seed (default 1)         --count N    how many (default 1)
//   --members N    founding members (default 3)       --faults F   of Network, Partition, Crash, Pause, Clock, SlowDisk, Membership
//   --bug B        a deliberate mistake, to see it caught
var seed = Number("--seed", 1);
var count = Number("--count", 1);
var members = Number("--members", 3);
var faults = Text("--faults") is { } wanted ? Enum.Parse<Fault>(wanted) : Fault.All;
var bug = Text("--bug") is { } name ? Enum.Parse<Bug>(name) : Bug.None;

var watch = Stopwatch.StartNew();
var failures = 0;
Parallel.For(seed, seed + count, current =>
{
    try
    {
        var report = World.Run(new() { Seed = current, Members = members, Faults = faults, Bug = bug });
        if (count == 1) Console.WriteLine(report);
    }
    catch (SimulationFailureException failure)
    {
        if (Interlocked.Increment(ref failures) <= 5) Console.WriteLine(count == 1 ? failure.ToString() : failure.Message);
    }
});
Console.WriteLine($"{count} seeds from {seed}, {failures} failed, {watch.Elapsed.TotalSeconds:0.0} s");
return failures == 0 ? 0 : 1;

int Number(string option, int otherwise) => Text(option) is { } text ? int.Parse(text) : otherwise;

string? Text(string option)
{
    var at = Array.IndexOf(args, option);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
