using System.Collections;
using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Operator.Core;

/// <summary>The limits of single fields, read from the attributes that the CRD is generated from: what the schema refuses is refused here too, for objects that
/// were stored before a limit existed.</summary>
static class SchemaLimits
{
    sealed record Field(string Name, PropertyInfo Property)
    {
        public Regex? Pattern { get; init; }
        public int MaxLength { get; init; }
        public RangeAttribute? Range { get; init; }
        public IReadOnlyList<string>? Choices { get; init; }
        public PropertyInfo? Key { get; init; }
    }

    static readonly FrozenDictionary<Type, IReadOnlyList<Field>> Fields = Below(typeof(StoreClusterSpec)).Concat(Below(typeof(StoreRestoreSpec))).Distinct().ToFrozenDictionary(type => type, FieldsOf);

    /// <summary>Null when every field keeps within its limits; else the first that does not, and what to do.</summary>
    public static string? Check(object? value, string path) => value switch
    {
        null => null,
        Quantity quantity => QuantityText.IsQuantity(quantity) ? null : $"{path} \"{quantity}\" is not a quantity; write it like 500m or 8Gi",
        IReadOnlyDictionary<string, Quantity> quantities => quantities.Select(pair => Check(pair.Value, $"{path}.{pair.Key}")).FirstOrDefault(error => error is not null),
        _ when Fields.TryGetValue(value.GetType(), out var fields) => fields.Select(field => Check(field, field.Property.GetValue(value), $"{path}.{field.Name}")).FirstOrDefault(error => error is not null),
        _ => null,
    };

    static string? Check(Field field, object? value, string path) => value switch
    {
        null => null,
        string text => OfText(field, text, path),
        int or long => OfNumber(field, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture), path),
        IEnumerable items and not IDictionary when field.Property.PropertyType.IsGenericType && value is not IReadOnlyDictionary<string, Quantity> => OfList(field, [.. items.Cast<object>()], path),
        _ => Check(value, path),
    };

    static string? OfText(Field field, string text, string path)
    {
        if (field.Choices is { } choices && !choices.Contains(text)) return $"{path} is \"{text}\"; use {string.Join(", ", choices.SkipLast(1))} or {choices[^1]}";
        if (field.MaxLength > 0 && text.Length > field.MaxLength) return $"{path} is longer than {field.MaxLength} characters; shorten it";
        return field.Pattern is { } pattern && !pattern.IsMatch(text) ? $"{path} is \"{text}\"; write something that matches {pattern}" : null;
    }

    static string? OfNumber(Field field, long number, string path)
    {
        if (field.Choices is { } choices && !choices.Contains($"{number}")) return $"{path} is {number}; use {string.Join(", ", choices.SkipLast(1))} or {choices[^1]}";
        return field.Range is { } range && (number < range.Minimum || number > range.Maximum) ? $"{path} is {number}; use {range.Minimum} to {range.Maximum}" : null;
    }

    static string? OfList(Field field, List<object> items, string path)
    {
        if (items.Select((item, index) => Check(item, $"{path}[{index}]")).FirstOrDefault(error => error is not null) is { } wrong) return wrong;
        if (field.Key is not { } key) return null;
        var twice = items.GroupBy(key.GetValue).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? null : $"{path} has \"{twice.Key}\" twice; name each once";
    }

    /// <summary>At the end of a pattern $ also stands before a last line break here, and not in Kubernetes.</summary>
    static string OneLine(string pattern) => pattern.EndsWith('$') ? $@"{pattern[..^1]}\z" : pattern;

    static IEnumerable<Type> Below(Type type)
    {
        if (type.IsGenericType) return type.GetGenericArguments().SelectMany(Below);
        return type.Namespace != typeof(StoreClusterSpec).Namespace || type == typeof(Quantity)
            ? []
            : type.GetProperties().Where(IsField).SelectMany(property => Below(property.PropertyType)).Prepend(type);
    }

    static bool IsField(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>() is not null;

    static IReadOnlyList<Field> FieldsOf(Type type) => [.. type.GetProperties().Where(IsField).Select(FieldOf)];

    static Field FieldOf(PropertyInfo property)
    {
        var pattern = property.GetCustomAttribute<PatternAttribute>();
        var map = property.GetCustomAttribute<ListMapAttribute>();
        return new Field(property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name, property)
        {
            Pattern = pattern is null ? null : new Regex(OneLine(pattern.Regex), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant),
            MaxLength = pattern?.MaxLength ?? 0,
            Range = property.GetCustomAttribute<RangeAttribute>(),
            Choices = property.GetCustomAttribute<OneOfAttribute>()?.Values.Select(value => $"{value}").ToList(),
            Key = map is null ? null : property.PropertyType.GetGenericArguments()[0].GetProperties().Single(key => key.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name == map.Keys[0]),
        };
    }
}
