using System.Text.RegularExpressions;
using Xunit;

namespace Architecture.Tests;

/// <summary>What keeps the tree readable for somebody who sees it for the first time.</summary>
public sealed partial class TreeTests
{
    [Fact]
    public void No_folder_is_a_drawer_for_everything()
    {
        string[] drawers = ["Common", "Utils", "Util", "Utilities", "Helpers", "Helper", "Manager", "Managers", "Misc", "Shared"];
        var found = Repository.SourceFiles("*.cs")
            .SelectMany(file => Repository.Relative(file).Split('/'))
            .Where(part => drawers.Contains(part, StringComparer.OrdinalIgnoreCase));
        Assert.Empty(found.Distinct());
    }

    [Fact]
    public void Every_file_has_the_one_namespace_of_its_project()
    {
        var wrong = from file in Repository.SourceFiles("*.cs")
                    let name = NamespaceDeclaration().Match(File.ReadAllText(file))
                    where name.Success && name.Groups[1].Value != ProjectOf(file)
                    select $"{Repository.Relative(file)}: {name.Groups[1].Value}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Nothing_points_to_a_place_on_somebodys_machine()
    {
        string[] patterns = ["*.cs", "*.md", "*.yaml", "*.json", "*.csproj", "*.props", "Makefile", "Dockerfile.*"];
        var found = from pattern in patterns
                    from file in Repository.SourceFiles(pattern)
                    where !file.EndsWith("packages.lock.json", StringComparison.Ordinal)
                    from line in File.ReadLines(file)
                    where HomePath().IsMatch(line)
                    select $"{Repository.Relative(file)}: {line.Trim()}";
        Assert.Empty(found);
    }

    [Fact]
    public void Nothing_unfinished_is_left_in_the_product()
    {
        var found = from file in Repository.SourceFiles("*.cs")
                    where !Repository.Relative(file).StartsWith("tests/", StringComparison.Ordinal)
                    from line in File.ReadLines(file)
                    where Unfinished().IsMatch(line)
                    select $"{Repository.Relative(file)}: {line.Trim()}";
        Assert.Empty(found);
    }

    static string ProjectOf(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        while (Directory.GetFiles(folder, "*.csproj") is []) folder = Path.GetDirectoryName(folder)!;
        return Path.GetFileNameWithoutExtension(Directory.GetFiles(folder, "*.csproj")[0]);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();

    [GeneratedRegex(@"(^|[\s""'=(])/(home|Users|work)/\w")]
    private static partial Regex HomePath();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b")]
    private static partial Regex Unfinished();
}
