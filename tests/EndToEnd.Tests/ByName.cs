using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer<EndToEnd.Tests.ByName>]
[assembly: TestClassOrderer<EndToEnd.Tests.ByName>]
[assembly: TestMethodOrderer<EndToEnd.Tests.ByName>]
[assembly: TestCaseOrderer<EndToEnd.Tests.ByName>]

namespace EndToEnd.Tests;

/// <summary>
/// The same order everywhere. By default it follows from hashes of the program's path: tests that share a cluster would meet one another's traces in one
/// clone and not in the next.
/// </summary>
sealed class ByName : ITestCollectionOrderer, ITestClassOrderer, ITestMethodOrderer, ITestCaseOrderer
{
    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections) where T : ITestCollection =>
        [.. testCollections.OrderBy(collection => Plain(collection.TestCollectionDisplayName), StringComparer.Ordinal)];

    public IReadOnlyCollection<T?> OrderTestClasses<T>(IReadOnlyCollection<T?> testClasses) where T : ITestClass =>
        [.. testClasses.OrderBy(type => type?.TestClassName, StringComparer.Ordinal)];

    public IReadOnlyCollection<T?> OrderTestMethods<T>(IReadOnlyCollection<T?> testMethods) where T : ITestMethod =>
        [.. testMethods.OrderBy(method => method?.MethodName, StringComparer.Ordinal)];

    public IReadOnlyCollection<T> OrderTestCases<T>(IReadOnlyCollection<T> testCases) where T : ITestCase =>
        [.. testCases.OrderBy(test => test.TestCaseDisplayName, StringComparer.Ordinal)];

    /// <summary>"Test collection for EndToEnd.Tests.FaultTests (id: 3f...)": the id is the hash.</summary>
    static string Plain(string name) => name.Split(" (id:")[0];
}
