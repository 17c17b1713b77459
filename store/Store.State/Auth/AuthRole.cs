using System.Collections.Immutable;
using Google.Protobuf;
using PermissionType = Store.Protocol.Authpb.Permission.Types.Type;

namespace Store.State;

/// <summary>Access to one key, to [key, end), or to everything from a key on (end is one zero byte).</summary>
public sealed record RangePermission(PermissionType Type, ByteString Key, ByteString RangeEnd)
{
    public bool Reads => Type is PermissionType.Read or PermissionType.Readwrite;

    public bool Writes => Type is PermissionType.Write or PermissionType.Readwrite;

    public Protocol.Authpb.Permission ToMessage() => new() { PermType = Type, Key = Key, RangeEnd = RangeEnd };
}

/// <param name="Permissions">In the order of their keys; those of one key in the order in which they were given.</param>
public sealed record AuthRole(string Name, ImmutableArray<RangePermission> Permissions)
{
    const byte Format = 1;

    /// <summary>etcd's own message, as it stands in its backend.</summary>
    public Protocol.Authpb.Role ToMessage() => new()
    {
        Name = ByteString.CopyFromUtf8(Name),
        KeyPermission = { Permissions.Select(permission => permission.ToMessage()) },
    };

    public static AuthRole Of(Protocol.Authpb.Role message) =>
        new(message.Name.ToStringUtf8(), [.. message.KeyPermission.Select(each => new RangePermission(each.PermType, each.Key, each.RangeEnd))]);

    internal byte[] Encode() => [Format, .. ToMessage().ToByteArray()];

    internal static AuthRole Decode(byte[] row)
    {
        if (row.Length == 0 || row[0] != Format) throw new StateFormatException(row.Length == 0 ? (byte)0 : row[0], Format);
        return Of(Protocol.Authpb.Role.Parser.ParseFrom(row.AsSpan(1)));
    }
}
