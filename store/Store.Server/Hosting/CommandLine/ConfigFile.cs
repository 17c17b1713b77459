using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Store.Server;

/// <summary>
/// `--config-file`: etcd's YAML (contract 1.15), whose keys are the names of the flags but for the two sections of TLS. Once there is one, other flags and variables
/// do not count, as in etcd.
/// </summary>
static class ConfigFile
{
    static readonly (string Section, string Prefix, (string Key, string Flag)[] Others)[] Sections =
    [
        ("client-transport-security", "", [("allowed-hostname", "client-cert-allowed-hostname")]),
        ("peer-transport-security", "peer-", [("allowed-cn", "peer-cert-allowed-cn"), ("allowed-hostname", "peer-cert-allowed-hostname")]),
        ("discovery-config", "", []),
    ];

    /// <summary>Each value under the name of its flag, in the form that the flag takes.</summary>
    /// <param name="notices">What is passed over: etcd takes what it does not know, and sample files hold keys of versions long gone.</param>
    /// <exception cref="FlagException">The file cannot be read, or is not such YAML.</exception>
    public static IEnumerable<(Flag Flag, string Value)> Read(string path, ICollection<string> notices)
    {
        foreach (var (key, node) in Root(path).Children)
        {
            var name = Name(path, key);
            if (Sections.FirstOrDefault(s => s.Section == name) is { Section: not null } section && node is YamlMappingNode inner)
            {
                foreach (var (innerKey, value) in inner.Children)
                {
                    var plain = Name(path, innerKey);
                    var flag = section.Others.FirstOrDefault(o => o.Key == plain).Flag ?? (plain.StartsWith(section.Prefix, StringComparison.Ordinal) ? plain : section.Prefix + plain);
                    if (Value(path, $"{name}.{plain}", flag, value, notices) is { } setting) yield return setting;
                }
            }
            else if (Value(path, name, name, node, notices) is { } setting) yield return setting;
        }
    }

    static YamlMappingNode Root(string path)
    {
        try
        {
            using var text = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(text);
            return yaml.Documents is [] ? [] : yaml.Documents[0].RootNode as YamlMappingNode
                ?? throw new FlagException($"--config-file {path} must hold keys and values, such as \"name: s1\"");
        }
        catch (YamlException exception)
        {
            throw new FlagException($"--config-file {path} is not YAML at line {exception.Start.Line}: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FlagException($"--config-file {path} cannot be read: {exception.Message}");
        }
    }

    static string Name(string path, YamlNode key) =>
        (key as YamlScalarNode)?.Value ?? throw new FlagException($"--config-file {path} has a key at line {key.Start.Line} that is no name");

    /// <summary>Null for what says nothing: an empty value is no value, as Go has it.</summary>
    static (Flag Flag, string Value)? Value(string path, string name, string flagName, YamlNode node, ICollection<string> notices)
    {
        var text = node switch
        {
            YamlScalarNode scalar => IsNull(scalar) ? "" : scalar.Value!,
            YamlSequenceNode list => string.Join(',', list.Children.OfType<YamlScalarNode>().Select(item => item.Value)),
            _ => throw new FlagException($"--config-file {path}: {name} at line {node.Start.Line} must be a value, not a section"),
        };
        if (!FlagTable.ByName.TryGetValue(flagName, out var flag) || flagName is "config-file" or "version" or "help")
        {
            var nearest = FlagTable.Nearest(flagName) is { } known ? $"; did you mean {known}?" : "";
            notices.Add($"--config-file {path}: {name} at line {node.Start.Line} is not known and has no effect{nearest}");
            return null;
        }

        if (text.Length == 0) return null;
        // Go's durations are numbers of nanoseconds in YAML.
        return (flag, flag.Kind == FlagKind.Duration && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? text + "ns" : text);
    }

    static bool IsNull(YamlScalarNode scalar) => scalar.Value is null || (scalar.Style == ScalarStyle.Plain && scalar.Value is "null" or "~" or "Null" or "NULL");
}
