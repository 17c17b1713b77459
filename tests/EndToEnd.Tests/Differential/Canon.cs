using System.Collections;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Store.Protocol.Etcdserverpb;

namespace EndToEnd.Tests;

/// <summary>Brings answers into a form in which equal means equal for a client: what must differ between two clusters is taken out.</summary>
static class Canon
{
    /// <summary>A lease is this old at most when a sequence asks for its remaining time.</summary>
    const long FreshSeconds = 3_000;

    /// <summary>Blanks ids of members and clusters, terms, addresses, tokens and seconds gone by, and sorts unordered lists, in the message itself.</summary>
    public static IMessage Blank(IMessage response)
    {
        if (HeaderOf(response) is { } header)
            (header.ClusterId, header.MemberId, header.RaftTerm) = (0, 0, 0);
        switch (response)
        {
            case MemberListResponse list:
                foreach (var member in list.Members)
                    Blank(member);
                // They come by id, and ids are made of addresses.
                Sort(list.Members, member => member.Name);
                break;
            case LeaseTimeToLiveResponse lease:
                if (lease.TTL > lease.GrantedTTL - FreshSeconds && lease.TTL <= lease.GrantedTTL && lease.GrantedTTL > 0)
                    lease.TTL = lease.GrantedTTL;
                Sort(lease.Keys, key => key.ToStringUtf8());
                break;
            case AlarmResponse alarms:
                Sort(alarms.Alarms, alarm => $"{alarm.MemberID} {alarm.Alarm}");
                break;
            case LeaseLeasesResponse leases:
                Sort(leases.Leases, lease => lease.ID.ToString("D20", CultureInfo.InvariantCulture));
                break;
            case AuthenticateResponse login:
                login.Token = login.Token.Length > 0 ? "token" : "";
                break;
            case StatusResponse status:
                return new StatusResponse { Header = status.Header, IsLearner = status.IsLearner, Errors = { status.Errors.Order(StringComparer.Ordinal) } };
            case HashKVResponse hash:
                // Not in etcd 3.5.
                hash.HashRevision = 0;
                break;
        }
        return response;
    }

    /// <summary>
    /// As it is, but that etcd 3.5's maintenance service passes on refusals of its auth store as they are, where all others give them the code and text that clients know.
    /// </summary>
    public static string Error(Step step, RpcException error) => (step, error.StatusCode, error.Status.Detail) switch
    {
        (Step.Unary { Request: HashKVRequest }, StatusCode.Unknown, "auth: permission denied") => "PermissionDenied: etcdserver: permission denied",
        (Step.Unary { Request: HashKVRequest }, StatusCode.Unknown, "auth: user name is empty") => "InvalidArgument: etcdserver: user name is empty",
        (Step.Unary { Request: HashKVRequest }, StatusCode.Unknown, "auth: invalid auth token") => "Unauthenticated: etcdserver: invalid auth token",
        (_, var code, var detail) => $"{code}: {detail}",
    };

    /// <summary>A message as text, with bytes readable: {key: "a/1" mod_revision: 7}.</summary>
    public static string Text(IMessage message)
    {
        var text = new StringBuilder("{");
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.HasPresence && !field.Accessor.HasValue(message))
                continue;
            var value = field.Accessor.GetValue(message);
            if (value is IList list)
            {
                foreach (var item in list)
                    Append(text, field, item!);
            }
            else if (field.HasPresence || !IsDefault(value))
            {
                Append(text, field, value);
            }
        }
        return text.Append('}').ToString();
    }

    static ResponseHeader? HeaderOf(IMessage message) =>
        message.Descriptor.FindFieldByName("header")?.Accessor.GetValue(message) as ResponseHeader;

    static void Blank(Member member)
    {
        member.ID = 0;
        member.PeerURLs.Clear();
        member.ClientURLs.Clear();
    }

    static void Sort<T>(IList<T> list, Func<T, string> by)
    {
        var sorted = list.OrderBy(by, StringComparer.Ordinal).ToArray();
        for (var i = 0; i < sorted.Length; i++)
            list[i] = sorted[i];
    }

    static void Append(StringBuilder text, FieldDescriptor field, object value)
    {
        if (text.Length > 1)
            text.Append(' ');
        text.Append(field.Name).Append(": ").Append(value switch
        {
            IMessage message => Text(message),
            ByteString bytes => Readable(bytes),
            _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        });
    }

    static bool IsDefault(object value) => value switch
    {
        ByteString bytes => bytes.IsEmpty,
        string text => text.Length == 0,
        bool flag => !flag,
        _ => Convert.ToInt64(value, CultureInfo.InvariantCulture) == 0,
    };

    static string Readable(ByteString bytes)
    {
        const int Shown = 60;
        var text = new StringBuilder("\"");
        foreach (var b in bytes.Span[..Math.Min(Shown, bytes.Length)])
            text.Append(b is >= 32 and < 127 ? (char)b : "").Append(b is >= 32 and < 127 ? "" : $"\\x{b:x2}");
        text.Append('"');
        if (bytes.Length > Shown)
            text.Append(CultureInfo.InvariantCulture, $"... {bytes.Length} bytes, sum {bytes.Span.ToArray().Sum(b => b)}");
        return text.ToString();
    }
}
