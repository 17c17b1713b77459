using System.Reflection;

namespace Operator.Tests;

static class Repository
{
    public static readonly string Root = Path.GetFullPath(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(metadata => metadata.Key == "RepositoryRoot").Value!);

    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);
}
