using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Store.Server;

/// <summary>The metadata in which etcd's clients tell their version. Any is welcome; one that is no UTF-8 is refused, as in etcd.</summary>
static class ClientApiVersion
{
    const string Name = "client-api-version";

    /// <summary>As bytes, or the web server would refuse the request itself, in words that no client of etcd's knows.</summary>
    public static Encoding? EncodingOf(string header) => header.Equals(Name, StringComparison.OrdinalIgnoreCase) ? Encoding.Latin1 : null;

    public static bool IsValid(IHeaderDictionary headers) =>
        !headers.TryGetValue(Name, out var values) || values is not [{ } version, ..] || Ascii.IsValid(version) || Utf8.IsValid(Encoding.Latin1.GetBytes(version));
}
