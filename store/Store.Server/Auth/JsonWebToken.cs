using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Store.Server;

/// <summary>What etcd's signed tokens say (contract 1.10).</summary>
/// <param name="Revision">The auth revision of the login.</param>
/// <param name="Expires">Null for tokens of others that never do.</param>
readonly record struct TokenClaims(string User, ulong Revision, DateTimeOffset? Expires)
{
    public bool HoldAt(DateTimeOffset now) => Expires is not { } end || now < end;
}

/// <summary>A JSON Web Token (RFC 7519) in its compact form: head, claims and signature in base64, with dots between.</summary>
static class JsonWebToken
{
    /// <summary>Seconds that stand for a date.</summary>
    const double SecondsMax = 253_402_300_799;

    /// <summary>Up to here a JSON number tells every whole number apart.</summary>
    const double RevisionMax = 1L << 53;

    public static string Write(TokenClaims claims, TokenKey key)
    {
        var head = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["alg"] = key.Method, ["typ"] = "JWT" });
        var body = new Dictionary<string, object> { ["revision"] = claims.Revision, ["username"] = claims.User };
        if (claims.Expires is { } expires) body["exp"] = expires.ToUnixTimeSeconds();
        var text = $"{Base64Url.EncodeToString(head)}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(body))}";
        return $"{text}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>
    /// Null for what this key has not signed with its own method, which a token does not get to choose, and for what is no token. Whether it still holds, or holds already, is
    /// the caller's to ask.
    /// </summary>
    public static TokenClaims? Read(string token, TokenKey key, DateTimeOffset now)
    {
        if (token.Split('.') is not [var head, var body, var signature] || Decode(head) is not { } headJson || Decode(body) is not { } bodyJson || Decode(signature) is not { } signed) return null;
        if (MethodIn(headJson) != key.Method || !key.Verify(Encoding.ASCII.GetBytes($"{head}.{body}"), signed)) return null;
        try
        {
            using var json = JsonDocument.Parse(bodyJson);
            return json.RootElement.ValueKind == JsonValueKind.Object ? ClaimsIn(json.RootElement, now) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static TokenClaims? ClaimsIn(JsonElement claims, DateTimeOffset now)
    {
        if (!claims.TryGetProperty("username", out var user) || user.ValueKind != JsonValueKind.String) return null;
        if (NumberIn(claims, "revision") is not (>= 0 and <= RevisionMax and var revision)) return null;
        if (!TryGetDate(claims, "exp", out var expires) || !TryGetDate(claims, "nbf", out var begins) || now < begins) return null;
        return new(user.GetString()!, (ulong)revision, expires);
    }

    /// <summary>False when it is there but no date.</summary>
    static bool TryGetDate(JsonElement claims, string name, out DateTimeOffset? date)
    {
        date = null;
        if (!claims.TryGetProperty(name, out _)) return true;
        if (NumberIn(claims, name) is not (>= 0 and <= SecondsMax and var seconds)) return false;
        date = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }

    static double? NumberIn(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    static string? MethodIn(byte[] head)
    {
        try
        {
            using var json = JsonDocument.Parse(head);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("alg", out var method) && method.ValueKind == JsonValueKind.String ? method.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static byte[]? Decode(string text) => Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
