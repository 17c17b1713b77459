using System.Buffers.Binary;
using Google.Protobuf;
using Store.Protocol.Authpb;

namespace Store.State;

/// <summary>Users, roles and permissions of an etcd backend. Throws <see cref="BackendFormatException"/>.</summary>
static class AuthRestore
{
    public static void Run(Func<string, IEnumerable<BackendPair>> read, AppliedBatch batch)
    {
        var (enabled, revision) = (false, AuthView.Initial.Revision);
        foreach (var (key, value) in read(BackendKeys.Auth))
        {
            if (key.Span.SequenceEqual(BackendKeys.AuthEnabled)) enabled = value.Span is [1];
            else if (key.Span.SequenceEqual(BackendKeys.AuthRevision) && value.Length == sizeof(ulong)) revision = BinaryPrimitives.ReadUInt64BigEndian(value.Span);
        }
        var users = read(BackendKeys.AuthUsers).Select(pair => AuthUser.Of(Parse(User.Parser, pair.Value), revision)).ToList();
        var roles = read(BackendKeys.AuthRoles).Select(pair => AuthRole.Of(Parse(Role.Parser, pair.Value))).ToList();
        var view = AuthView.Initial with { Enabled = enabled, Revision = revision, EnabledSince = revision };
        if (users.Count == 0 && roles.Count == 0 && view.Revision == AuthView.Initial.Revision) return;
        foreach (var user in users) batch.Put(Table.Meta, MetaKeys.User(user.Name), user.Encode());
        foreach (var role in roles) batch.Put(Table.Meta, MetaKeys.Role(role.Name), role.Encode());
        batch.Put(Table.Meta, MetaKeys.Auth, AuthTable.Encode(view));
    }

    static TMessage Parse<TMessage>(MessageParser<TMessage> parser, ReadOnlyMemory<byte> value)
        where TMessage : IMessage<TMessage>
    {
        try
        {
            return parser.ParseFrom(value.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new BackendFormatException($"a row of users and roles is no {typeof(TMessage).Name}: {e.Message}");
        }
    }
}
