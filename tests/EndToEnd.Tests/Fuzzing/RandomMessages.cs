using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace EndToEnd.Tests;

/// <summary>Requests of any of etcd's types with arbitrary content, and the same with damaged bytes.</summary>
sealed class RandomMessages(Random random)
{
    const int DepthMax = 4;
    static readonly long[] Numbers = [0, 1, -1, 2, 1000, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue];

    public IMessage Of(MessageDescriptor type, int depth = 0)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder().Where(_ => random.Next(2) == 0))
        {
            if (field.IsMap || (field.FieldType == FieldType.Message && depth == DepthMax)) continue;
            if (!field.IsRepeated) field.Accessor.SetValue(message, Value(field, depth));
            else
                for (var n = random.Next(4); n > 0; n--) ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Value(field, depth));
        }

        return message;
    }

    /// <summary>Some bytes changed, cut off, doubled or put in.</summary>
    public byte[] Damage(byte[] message)
    {
        var bytes = message.ToList();
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(4))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.Take(64).ToArray());
                    break;
                default:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
            }
        }

        return [.. bytes];
    }

    object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Message => Of(field.MessageType, depth + 1),
        FieldType.Enum => random.Next(-1, 6),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Bytes => ByteString.CopyFrom(Bytes()),
        FieldType.String => Convert.ToHexString(Bytes()),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => Number(),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)Number(),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)Number(),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)Number(),
        var other => throw new NotSupportedException($"{other} in {field.FullName}"),
    };

    long Number() => random.Next(3) == 0 ? random.NextInt64() : Numbers[random.Next(Numbers.Length)];

    byte[] Bytes()
    {
        var bytes = new byte[random.Next(8) == 0 ? random.Next(5000) : random.Next(6)];
        random.NextBytes(bytes);
        return bytes;
    }
}
