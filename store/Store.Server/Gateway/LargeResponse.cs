using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Google.Protobuf.Reflection;

namespace Store.Server;

/// <summary>
/// A response too large to be held, from protobuf to JSON while it comes: its repeated messages, the rows of a range, one by one; all its other fields, which are
/// few and small, are collected until the next row or the end.
/// </summary>
/// <param name="bytes">Of the message.</param>
sealed class LargeResponse(MessageDescriptor type, long bytes, PipeWriter output) : IDisposable
{
    const int FlushBytes = 64 * 1024;

    readonly Utf8JsonWriter json = new(output, MessageWriter.Options);
    readonly ArrayBufferWriter<byte> collected = new();
    FieldDescriptor? open;
    long left = bytes;
    long flushed;

    public bool IsComplete => left == 0;

    public void Begin() => json.WriteStartObject();

    /// <summary>Takes the fields that are there in full, and gives them back to the client as it reads.</summary>
    public async ValueTask<ReadOnlySequence<byte>> TakeAsync(ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
    {
        while (!IsComplete && TryReadField(buffer, out var field))
        {
            Write(field);
            left -= field.Whole.Length;
            buffer = buffer.Slice(field.Whole.Length);
            if (json.BytesCommitted + json.BytesPending - flushed < FlushBytes) continue;
            json.Flush();
            flushed = json.BytesCommitted;
            await output.FlushAsync(cancellationToken);
        }

        return buffer;
    }

    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        Close();
        WriteCollected();
        json.WriteEndObject();
        json.Flush();
        await output.FlushAsync(cancellationToken);
    }

    public void Dispose() => json.Dispose();

    void Write(in Field field)
    {
        if (type.FindFieldByNumber(field.Number) is not { IsRepeated: true, FieldType: FieldType.Message } repeated)
        {
            foreach (var piece in field.Whole) collected.Write(piece.Span);
            return;
        }

        if (open != repeated)
        {
            Close();
            WriteCollected();
            json.WriteStartArray(repeated.Name);
            open = repeated;
        }

        MessageWriter.Write(json, repeated.MessageType.Parser.ParseFrom(field.Content));
    }

    void Close()
    {
        if (open is not null) json.WriteEndArray();
        open = null;
    }

    void WriteCollected()
    {
        MessageWriter.WriteFields(json, type.Parser.ParseFrom(collected.WrittenSpan));
        collected.ResetWrittenCount();
    }

    /// <param name="Whole">With its tag.</param>
    /// <param name="Content">Of a field with a length.</param>
    readonly record struct Field(int Number, ReadOnlySequence<byte> Whole, ReadOnlySequence<byte> Content);

    bool TryReadField(ReadOnlySequence<byte> buffer, out Field field)
    {
        const int Varint = 0, Fixed64 = 1, Length = 2, Fixed32 = 5;
        field = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!TryReadVarint(ref reader, out var tag)) return false;
        ulong size = 0;
        switch ((int)(tag & 7))
        {
            case Varint when !TryReadVarint(ref reader, out _): return false;
            case Varint: break;
            case Length when !TryReadVarint(ref reader, out size): return false;
            case Length: break;
            case Fixed64: size = 8; break;
            case Fixed32: size = 4; break;
            default: throw new InvalidOperationException($"{type.FullName}: the service has written a field of wire type {tag & 7}");
        }

        if ((ulong)reader.Remaining < size) return false;
        var content = buffer.Slice(reader.Position, (long)size);
        field = new((int)(tag >> 3), buffer.Slice(0, content.End), content);
        return true;
    }

    static bool TryReadVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        value = 0;
        for (var shift = 0; reader.TryRead(out var b); shift += 7)
        {
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return true;
        }

        return false;
    }
}
