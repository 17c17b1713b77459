using System.Buffers.Binary;
using System.Collections.Immutable;
using Google.Protobuf;
using Store.Raft;

namespace Store.State;

/// <param name="PasswordHash">bcrypt; empty for users that log in by certificate.</param>
/// <param name="NoPassword">Logs in by certificate alone.</param>
/// <param name="Roles">In the order of their bytes, each once. A role may be gone, or ("root") never have been made.</param>
/// <param name="PasswordSince">The auth revision that made the user or set its password last: tokens from before are void.</param>
public sealed record AuthUser(string Name, ReadOnlyMemory<byte> PasswordHash, bool NoPassword, ImmutableArray<string> Roles, ulong PasswordSince)
{
    const byte Format = 1;
    const int HeaderBytes = 1 + sizeof(ulong);

    /// <summary>May do everything.</summary>
    public bool IsRoot => Roles.Contains(AuthView.Root);

    /// <summary>etcd's own message, as it stands in its backend.</summary>
    public Protocol.Authpb.User ToMessage() => new()
    {
        Name = ByteString.CopyFromUtf8(Name),
        Password = ByteString.CopyFrom(PasswordHash.Span),
        Roles = { Roles },
        Options = new() { NoPassword = NoPassword },
    };

    public static AuthUser Of(Protocol.Authpb.User message, ulong passwordSince) =>
        new(message.Name.ToStringUtf8(), message.Password.Memory, message.Options?.NoPassword ?? false, [.. message.Roles], passwordSince);

    /// <summary>Format, <see cref="PasswordSince"/>, then the message.</summary>
    internal byte[] Encode()
    {
        var header = new byte[HeaderBytes];
        header[0] = Format;
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(1), PasswordSince);
        return [.. header, .. ToMessage().ToByteArray()];
    }

    internal static AuthUser Decode(byte[] row)
    {
        if (row.Length == 0 || row[0] != Format) throw new StateFormatException(row.Length == 0 ? (byte)0 : row[0], Format);
        Invariant.Require(row.Length >= HeaderBytes);
        return Of(Protocol.Authpb.User.Parser.ParseFrom(row.AsSpan(HeaderBytes)), BinaryPrimitives.ReadUInt64BigEndian(row.AsSpan(1)));
    }
}
