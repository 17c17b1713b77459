using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>The source tree, as the tests of its shape see it.</summary>
static class Repository
{
    public static readonly string Root = FindRoot();

    /// <summary>Every project by name, with the names of the projects and packages that it references itself.</summary>
    public static readonly IReadOnlyDictionary<string, Project> Projects = Directory
        .EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
        .Where(IsSource)
        .Select(Project.Read)
        .ToDictionary(project => project.Name, StringComparer.Ordinal);

    public static IEnumerable<string> SourceFiles(string pattern) =>
        Directory.EnumerateFiles(Root, pattern, SearchOption.AllDirectories).Where(IsSource);

    public static string Relative(string path) => Path.GetRelativePath(Root, path);

    static bool IsSource(string path) =>
        !Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "out" or ".git");

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Operator.sln is in no folder above the tests");
    }
}

sealed record Project(string Name, string Path, IReadOnlySet<string> References, IReadOnlySet<string> Packages, bool IsDeterministicCore)
{
    public bool IsTest => Repository.Relative(Path).StartsWith("tests/", StringComparison.Ordinal);

    public static Project Read(string path)
    {
        var xml = XDocument.Load(path);
        var references = xml.Descendants("ProjectReference")
            .Select(reference => System.IO.Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        var packages = xml.Descendants("PackageReference").Select(reference => reference.Attribute("Include")!.Value);
        return new(
            System.IO.Path.GetFileNameWithoutExtension(path),
            path,
            references.ToHashSet(StringComparer.Ordinal),
            packages.ToHashSet(StringComparer.Ordinal),
            xml.Descendants("DeterministicCore").Any(element => element.Value == "true"));
    }
}
