using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Store.Server;

/// <summary>JSON values, one after the other, as a client sends them; each is read when it is there, and no further.</summary>
/// <param name="valueBytesMax">Of one value.</param>
sealed class JsonValues(PipeReader body, long valueBytesMax)
{
    static readonly JsonReaderOptions Options = new() { AllowMultipleValues = true };

    /// <summary>Null at the end.</summary>
    /// <exception cref="FormatException">What comes next is no JSON.</exception>
    /// <exception cref="MessageTooLargeException">It is too long.</exception>
    public async ValueTask<JsonDocument?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            // Set before anything may throw: a reader that is left in the middle of a read costs the client its connection.
            var examined = rest.End;
            try
            {
                if (TryRead(ref rest, read.IsCompleted, out var value))
                {
                    examined = rest.Start;
                    return value;
                }

                if (rest.Length > valueBytesMax) throw new MessageTooLargeException();
                if (read.IsCompleted) return null;
            }
            finally
            {
                body.AdvanceTo(rest.Start, examined);
            }
        }
    }

    bool TryRead(ref ReadOnlySequence<byte> buffer, bool isLast, out JsonDocument? value)
    {
        value = null;
        if (buffer.IsEmpty) return false;
        var reader = new Utf8JsonReader(buffer, isLast, new JsonReaderState(Options));
        try
        {
            if (isLast && !HasValue(buffer)) return false;
            if (!JsonDocument.TryParseValue(ref reader, out value)) return false;
        }
        catch (JsonException exception)
        {
            throw new FormatException("proto: syntax error: " + exception.Message, exception);
        }

        if (reader.BytesConsumed > valueBytesMax) throw new MessageTooLargeException();
        buffer = buffer.Slice(reader.Position);
        return true;
    }

    /// <summary>Not only blanks.</summary>
    static bool HasValue(ReadOnlySequence<byte> buffer)
    {
        var rest = new SequenceReader<byte>(buffer);
        rest.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        return !rest.End;
    }
}

/// <summary>More than a request may have.</summary>
sealed class MessageTooLargeException : Exception;
