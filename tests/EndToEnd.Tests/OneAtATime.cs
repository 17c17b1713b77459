using Xunit.Sdk;
using Xunit.v3;

// Each test runs servers of its own; side by side they would only take the cores from each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
