using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Operator.Core;

/// <summary>Writes JSON as block YAML in the order given, so that generated files read well and differ only where their source does.</summary>
public static class YamlText
{
    public static string Write(JsonNode node)
    {
        var text = new StringBuilder();
        Block(text, node, indent: 0);
        return text.ToString();
    }

    static void Block(StringBuilder text, JsonNode node, int indent)
    {
        if (node is JsonObject map)
        {
            foreach (var (key, value) in map) Entry(text, new string(' ', indent) + Scalar(key) + ":", value, indent + 2);
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list) Item(text, item, indent);
        }
    }

    static void Entry(StringBuilder text, string head, JsonNode? value, int indent)
    {
        text.Append(head);
        if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            text.Append('\n');
            Block(text, value, indent);
        }
        else
        {
            text.Append(' ').Append(Leaf(value)).Append('\n');
        }
    }

    /// <summary>"- " takes the place of the first two columns of the item's first line.</summary>
    static void Item(StringBuilder text, JsonNode? item, int indent)
    {
        if (item is not (JsonObject { Count: > 0 } or JsonArray { Count: > 0 }))
        {
            text.Append(' ', indent).Append("- ").Append(Leaf(item)).Append('\n');
            return;
        }

        var start = text.Length;
        Block(text, item, indent + 2);
        text[start + indent] = '-';
    }

    static string Leaf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        _ when value.GetValueKind() == JsonValueKind.String => Scalar(value.GetValue<string>()),
        _ => value.ToJsonString(),
    };

    static string Scalar(string text) => IsPlain(text)
        ? text
        : "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    /// <summary>Narrower than YAML's rule on purpose: what is not plainly a word or a sentence is quoted.</summary>
    static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text[^1] != ' '
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || " _./,;()'=-".Contains(letter, StringComparison.Ordinal))
        && !OtherThings.Contains(text);

    /// <summary>Words that YAML 1.1 or 1.2 reads as something else than text.</summary>
    static readonly HashSet<string> OtherThings =
        new(["true", "false", "yes", "no", "on", "off", "null", "y", "n"], StringComparer.OrdinalIgnoreCase);
}
