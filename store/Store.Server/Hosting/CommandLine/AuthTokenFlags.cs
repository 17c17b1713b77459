using System.Security.Cryptography;

namespace Store.Server;

/// <summary>etcd's --auth-token: "simple", or "jwt,pub-key=FILE,priv-key=FILE,sign-method=RS256,ttl=10m".</summary>
static class AuthTokenFlags
{
    static readonly TimeSpan LongestLife = TimeSpan.FromDays(3650);

    public static AuthTokenOptions Read(FlagValues flags)
    {
        // Zero is etcd's word for its default.
        var simple = flags.Number("auth-token-ttl", 0, int.MaxValue) is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : new AuthTokenOptions().SimpleTimeToLive;
        return flags.Text("auth-token").Split(',') switch
        {
            ["simple"] => new() { SimpleTimeToLive = simple },
            ["jwt", .. var options] => Signed(options) with { SimpleTimeToLive = simple },
            _ => throw Wrong("must be simple, or jwt with its options: jwt,sign-method=RS256,pub-key=FILE,priv-key=FILE,ttl=5m"),
        };
    }

    static AuthTokenOptions Signed(IEnumerable<string> options)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in options)
        {
            if (option.Split('=') is not [("pub-key" or "priv-key" or "sign-method" or "ttl") and var name, var value])
                throw Wrong($"'{option}' is not one of sign-method=, pub-key=, priv-key=, ttl=");
            if (!given.TryAdd(name, value)) throw Wrong($"{name} is given twice");
        }

        if (!given.TryGetValue("sign-method", out var method)) throw Wrong("jwt needs sign-method, for example sign-method=RS256");
        var life = given.TryGetValue("ttl", out var ttl) ? FlagSyntax.Duration(ttl) : new AuthTokenOptions().SignedTimeToLive;
        if (life is not { } timeToLive || timeToLive <= TimeSpan.Zero || timeToLive > LongestLife) throw Wrong($"ttl must be a duration above zero such as 10m, at most 87600h, not '{ttl}'");
        return new() { Key = Load(method, given.GetValueOrDefault("priv-key"), given.GetValueOrDefault("pub-key")), SignedTimeToLive = timeToLive };
    }

    static TokenKey Load(string method, string? secretFile, string? openFile)
    {
        try
        {
            return new TokenKeyFiles(Contents(secretFile), Contents(openFile)).Load(method);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw Wrong(e.Message);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException or Org.BouncyCastle.Security.SecurityUtilityException)
        {
            throw Wrong($"{string.Join(" and ", new[] { secretFile, openFile }.Where(file => file is not null))} cannot be used for {method} ({e.Message})");
        }
    }

    static byte[]? Contents(string? file) => file is null ? null : File.ReadAllBytes(file);

    static FlagException Wrong(string why) => new($"--auth-token: {why}");
}
