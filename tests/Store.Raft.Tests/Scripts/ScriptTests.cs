using System.Runtime.CompilerServices;

namespace Store.Raft.Tests;

/// <summary>Conversations between members, kept as text that can be reviewed (testdata/*.txt). STORE_RAFT_REWRITE=1 writes what really happens into the files.</summary>
public sealed class ScriptTests
{
    static readonly bool Rewrite = Environment.GetEnvironmentVariable("STORE_RAFT_REWRITE") == "1";

    public static IEnumerable<TheoryDataRow<string>> Scripts =>
        Directory.GetFiles(TestData(), "*.txt").Order(StringComparer.Ordinal).Select(path => new TheoryDataRow<string>(Path.GetFileNameWithoutExtension(path)));

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_conversation_goes_as_it_is_written(string script)
    {
        var path = Path.Combine(TestData(), script + ".txt");
        var written = File.ReadAllText(path);
        var happened = Script.Run(written);
        if (Rewrite) File.WriteAllText(path, happened);
        else Assert.Equal(written, happened);
    }

    static string TestData([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "..", "testdata");
}
