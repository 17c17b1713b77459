using System.Text.RegularExpressions;
using Xunit;

namespace Store.Server.Tests;

/// <summary>--auth-token in etcd's syntax, and what is wrong with it in one line.</summary>
public sealed class AuthTokenFlagTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("token-keys-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Simple_tokens_are_the_default()
    {
        var tokens = Tokens();
        Assert.Equal((null, TimeSpan.FromSeconds(300)), (tokens.Key, tokens.SimpleTimeToLive));
        Assert.Equal(TimeSpan.FromSeconds(5), Tokens("--auth-token-ttl=5").SimpleTimeToLive);
        Assert.Equal(TimeSpan.FromSeconds(300), Tokens("--auth-token-ttl=0").SimpleTimeToLive);
    }

    public static TheoryData<string> Methods => [.. TokenKeyFile.Methods];

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_signed_token_has_method_keys_and_time(string method)
    {
        var files = TokenKeyFile.Make(method);
        var open = files.Open is null ? "" : $",pub-key={Write("open", files.Open)}";
        var tokens = Tokens($"--auth-token=jwt,priv-key={Write("secret", files.Secret)}{open},sign-method={method},ttl=1m30s");
        Assert.Equal((method, true, TimeSpan.FromSeconds(90)), (tokens.Key!.Method, tokens.Key.CanSign, tokens.SignedTimeToLive));
        if (files.Open is null) return;
        tokens = Tokens($"--auth-token=jwt,sign-method={method}{open}");
        Assert.Equal((false, TimeSpan.FromMinutes(5)), (tokens.Key!.CanSign, tokens.SignedTimeToLive));
    }

    [Theory]
    [InlineData("must be simple, or jwt with its options: jwt,sign-method=RS256,pub-key=FILE,priv-key=FILE,ttl=5m", "signed")]
    [InlineData("must be simple, or jwt with its options: jwt,sign-method=RS256,pub-key=FILE,priv-key=FILE,ttl=5m", "simple,ttl=5m")]
    [InlineData("jwt needs sign-method, for example sign-method=RS256", "jwt")]
    [InlineData("'sign-methods=RS256' is not one of sign-method=, pub-key=, priv-key=, ttl=", "jwt,sign-methods=RS256")]
    [InlineData("ttl is given twice", "jwt,ttl=1m,ttl=2m")]
    [InlineData("ttl must be a duration above zero such as 10m, at most 87600h, not '10'", "jwt,sign-method=HS256,priv-key=$secret,ttl=10")]
    [InlineData("ttl must be a duration above zero such as 10m, at most 87600h, not '0s'", "jwt,sign-method=HS256,priv-key=$secret,ttl=0s")]
    [InlineData("sign-method must be HS256, RS256, PS256, ES256 (or any of these with 384 or 512) or EdDSA, not 'none'", "jwt,sign-method=none")]
    [InlineData("HS256 needs priv-key, the secret's file", "jwt,sign-method=HS256")]
    [InlineData("RS256 needs priv-key, or pub-key to verify only", "jwt,sign-method=RS256")]
    [InlineData("EdDSA needs priv-key, or pub-key to verify only", "jwt,sign-method=EdDSA")]
    [InlineData("Could not find file '$folder/missing'.", "jwt,sign-method=RS256,priv-key=$folder/missing")]
    [InlineData("ES256 needs a key on a curve of 256 bits, not of 384", "jwt,sign-method=ES256,priv-key=$curve")]
    [InlineData("there is no PRIVATE KEY in PEM", "jwt,sign-method=EdDSA,priv-key=$curve")]
    [InlineData("pub-key and priv-key do not belong together", "jwt,sign-method=RS256,priv-key=$secret,pub-key=$other")]
    public void What_is_wrong_is_one_line(string expected, string value)
    {
        Write("secret", TokenKeyFile.Make("RS256").Secret);
        Write("other", TokenKeyFile.Make("RS256").Open!);
        Write("curve", TokenKeyFile.Make("ES384").Secret);
        Assert.Equal($"--auth-token: {Fill(expected)}", Error($"--auth-token={Fill(value)}"));
    }

    [Fact]
    public void A_file_that_holds_no_such_key_is_named()
    {
        Write("junk", [1, 2, 3]);
        Write("curve", TokenKeyFile.Make("ES384").Secret);
        foreach (var file in new[] { "$junk", "$curve" })
            Assert.Matches("^" + Regex.Escape(Fill($"--auth-token: {file} cannot be used for RS256 (")) + "[^\n]+\\)$", Error(Fill($"--auth-token=jwt,sign-method=RS256,priv-key={file}")));
    }

    static AuthTokenOptions Tokens(params string[] arguments) => Assert.IsType<CommandLine.Serve>(CommandLine.Parse(arguments, _ => null)).Options.AuthTokens;

    static string Error(string argument) => Assert.IsType<CommandLine.Wrong>(CommandLine.Parse([argument], _ => null)).Message;

    string Fill(string text) => Regex.Replace(text, @"\$(\w+)", name => name.Groups[1].Value == "folder" ? folder : Path.Combine(folder, name.Groups[1].Value));

    string Write(string name, byte[] contents)
    {
        File.WriteAllBytes(Path.Combine(folder, name), contents);
        return Path.Combine(folder, name);
    }
}
