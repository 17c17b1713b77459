using System.Collections;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Store.Server;

/// <summary>
/// Messages as etcd's gateway prints them (contract 1.12): names as in the .proto files, defaults left out, 64-bit numbers and enumerations as strings, bytes in
/// base64. <see cref="JsonFormatter"/> would put blanks that etcd does not, where scripts compare text.
/// </summary>
static class MessageWriter
{
    /// <summary>Go's does not escape what is legal in a JSON string.</summary>
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Utf8JsonWriter json, IMessage message)
    {
        json.WriteStartObject();
        WriteFields(json, message);
        json.WriteEndObject();
    }

    public static void WriteFields(Utf8JsonWriter json, IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (field.IsRepeated) WriteAll(json, field, (IList)value);
            else if (IsSet(message, field, value))
            {
                json.WritePropertyName(field.Name);
                WriteValue(json, field, value);
            }
        }
    }

    static void WriteAll(Utf8JsonWriter json, FieldDescriptor field, IList values)
    {
        if (values.Count == 0) return;
        json.WriteStartArray(field.Name);
        foreach (var value in values) WriteValue(json, field, value!);
        json.WriteEndArray();
    }

    static bool IsSet(IMessage message, FieldDescriptor field, object? value) =>
        field.RealContainingOneof is { } choice ? choice.Accessor.GetCaseFieldDescriptor(message) == field : value switch
        {
            null => false,
            ByteString bytes => !bytes.IsEmpty,
            string text => text.Length > 0,
            bool flag => flag,
            IMessage => true,
            _ => Convert.ToDecimal(value, CultureInfo.InvariantCulture) != 0,
        };

    static void WriteValue(Utf8JsonWriter json, FieldDescriptor field, object value)
    {
        switch (value)
        {
            case IMessage message: Write(json, message); break;
            case ByteString bytes: json.WriteBase64StringValue(bytes.Span); break;
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case long number: json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case ulong number: json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case int number: json.WriteNumberValue(number); break;
            case uint number: json.WriteNumberValue(number); break;
            case Enum name: WriteEnum(json, field.EnumType, Convert.ToInt32(name, CultureInfo.InvariantCulture)); break;
            default: throw new InvalidOperationException($"{field.FullName}: etcd's messages have no {field.FieldType}");
        }
    }

    /// <summary>A number that this version has no name for is told as it is.</summary>
    static void WriteEnum(Utf8JsonWriter json, EnumDescriptor type, int number)
    {
        if (type.FindValueByNumber(number) is { } named) json.WriteStringValue(named.Name);
        else json.WriteNumberValue(number);
    }
}
