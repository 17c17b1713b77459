using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Operator.Core;

/// <summary>A Kubernetes quantity as its author wrote it: <c>500m</c>, <c>1Gi</c>, or the plain number <c>2</c>.</summary>
/// <remarks>KubernetesClient's ResourceQuantity refuses JSON numbers and rewrites the text ("1024Mi" becomes "1Gi"), either of which would make the
/// operator read a spec other than the one that the user wrote.</remarks>
[JsonConverter(typeof(QuantityConverter))]
public readonly record struct Quantity(string Text)
{
    /// <summary>What the API server accepts for a quantity that cannot be negative.</summary>
    public const string Pattern = @"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][-+]?[0-9]+))?$";

    public ResourceQuantity ToResourceQuantity() => new(Text);

    public override string ToString() => Text;
}

sealed class QuantityConverter : JsonConverter<Quantity>
{
    public override Quantity Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number => new Quantity(reader.GetDecimal().ToString(CultureInfo.InvariantCulture)),
        _ => new Quantity(reader.GetString() ?? ""),
    };

    public override void Write(Utf8JsonWriter writer, Quantity value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
}

/// <summary>What Kubernetes reads as a quantity.</summary>
static class QuantityText
{
    /// <summary>By hand and not by <see cref="Quantity.Pattern"/>: number, then a suffix that Kubernetes knows.</summary>
    public static bool IsQuantity(Quantity quantity)
    {
        var text = quantity.Text.AsSpan().TrimStart('+');
        var digits = 0;
        var dots = 0;
        var position = 0;
        while (position < text.Length && (char.IsAsciiDigit(text[position]) || text[position] == '.'))
        {
            if (text[position] == '.') dots++;
            else digits++;
            position++;
        }

        return digits > 0 && dots <= 1 && IsSuffix(text[position..].ToString());
    }

    static bool IsSuffix(string suffix) => suffix switch
    {
        "" or "n" or "u" or "m" or "k" or "M" or "G" or "T" or "P" or "E" => true,
        "Ki" or "Mi" or "Gi" or "Ti" or "Pi" or "Ei" => true,
        _ => suffix[0] is 'e' or 'E' && int.TryParse(suffix[1..], out _),
    };
}
