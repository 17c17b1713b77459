using System.Buffers.Text;
using System.Collections;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Store.Server;

/// <summary>
/// Messages from JSON as etcd's gateway takes it (contract 1.12): names as in the .proto files or in lowerCamel, numbers of 64 bits as numbers or strings, base64 of
/// either alphabet with or without padding; unknown fields and unknown names of enumerations are passed over. <see cref="JsonParser"/> reads numbers as doubles,
/// which loses the end of a lease id.
/// </summary>
static class MessageReader
{
    /// <exception cref="FormatException">The JSON is no such message; says where.</exception>
    public static IMessage Read(MessageDescriptor type, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw new FormatException($"proto: syntax error: unexpected token {Shown(json)}, an object is wanted for {type.FullName}");
        var message = type.Parser.ParseFrom(ByteString.Empty);
        var seen = new HashSet<FieldDescriptor>();
        foreach (var property in json.EnumerateObject())
        {
            if (FieldNamed(type, property.Name) is not { } field) continue;
            if (!seen.Add(field)) throw new FormatException($"proto: duplicate field \"{property.Name}\"");
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            if (field.RealContainingOneof is { } choice && choice.Accessor.GetCaseFieldDescriptor(message) is not null)
                throw new FormatException($"proto: error parsing \"{property.Name}\", oneof {choice.FullName} is already set");
            Set(message, field, property.Value);
        }

        return message;
    }

    static FieldDescriptor? FieldNamed(MessageDescriptor type, string name)
    {
        foreach (var field in type.Fields.InDeclarationOrder())
            if (field.Name == name || field.JsonName == name) return field;
        return null;
    }

    static void Set(IMessage message, FieldDescriptor field, JsonElement json)
    {
        if (!field.IsRepeated)
        {
            if (Value(field, json) is { } value) field.Accessor.SetValue(message, value);
            return;
        }

        if (json.ValueKind != JsonValueKind.Array) throw Invalid(field, json);
        var values = (IList)field.Accessor.GetValue(message);
        foreach (var element in json.EnumerateArray())
            if (Value(field, element) is { } value) values.Add(value);
    }

    /// <summary>Null for the name of an enumeration that nobody knows.</summary>
    static object? Value(FieldDescriptor field, JsonElement json) => field.FieldType switch
    {
        FieldType.Message => Read(field.MessageType, json),
        FieldType.Bytes => Bytes(field, json),
        FieldType.String => Text(json) ?? throw Invalid(field, json),
        FieldType.Bool => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : throw Invalid(field, json),
        FieldType.Int64 => (long)Number(field, json, long.MinValue, long.MaxValue),
        FieldType.UInt64 => (ulong)Number(field, json, ulong.MinValue, ulong.MaxValue),
        FieldType.Int32 => (int)Number(field, json, int.MinValue, int.MaxValue),
        FieldType.UInt32 => (uint)Number(field, json, uint.MinValue, uint.MaxValue),
        FieldType.Enum => Named(field, json),
        _ => throw new InvalidOperationException($"{field.FullName}: etcd's messages have no {field.FieldType}"),
    };

    static decimal Number(FieldDescriptor field, JsonElement json, decimal least, decimal most)
    {
        var text = json.ValueKind == JsonValueKind.Number ? json.GetRawText() : Text(json);
        const NumberStyles Json = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return decimal.TryParse(text, Json, CultureInfo.InvariantCulture, out var number) && decimal.IsInteger(number) && number >= least && number <= most
            ? number : throw Invalid(field, json);
    }

    static object? Named(FieldDescriptor field, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Number) return Enum.ToObject(field.EnumType.ClrType, (int)Number(field, json, int.MinValue, int.MaxValue));
        var name = Text(json) ?? throw Invalid(field, json);
        return field.EnumType.FindValueByName(name) is { } named ? Enum.ToObject(field.EnumType.ClrType, named.Number) : null;
    }

    static ByteString Bytes(FieldDescriptor field, JsonElement json)
    {
        var text = Text(json)?.TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return text is not null && Base64Url.IsValid(text) ? UnsafeByteOperations.UnsafeWrap(Base64Url.DecodeFromChars(text)) : throw Invalid(field, json);
    }

    /// <summary>Null for what is no string, or none that has characters.</summary>
    static string? Text(JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.String ? json.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // Half of a surrogate pair.
        }
    }

    static FormatException Invalid(FieldDescriptor field, JsonElement json) =>
        new($"proto: invalid value for {field.FieldType.ToString().ToLowerInvariant()} field {field.Name}: {Shown(json)}");

    static string Shown(JsonElement json)
    {
        const int CharactersMax = 100;
        var text = json.GetRawText();
        return text.Length <= CharactersMax ? text : text[..CharactersMax] + "...";
    }
}
