using System.Buffers.Text;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Xunit;

namespace Store.Server.Tests;

/// <summary>Signed tokens as text (RFC 7519, contract 1.10).</summary>
public class JsonWebTokenTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    static readonly TokenClaims Claims = new("alice", 7, Now.AddMinutes(5));

    public static TheoryData<string> Methods => [.. TokenKeyFile.Methods];

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_token_says_what_was_signed_to_whoever_has_the_other_half_of_the_key(string method)
    {
        var files = TokenKeyFile.Make(method);
        var token = JsonWebToken.Write(Claims, files.Load(method));
        Assert.Equal(Claims, JsonWebToken.Read(token, files.Load(method), Now));
        if (files.Open is null) return;
        var verifier = new TokenKeyFiles(null, files.Open).Load(method);
        Assert.False(verifier.CanSign);
        Assert.Equal(Claims, JsonWebToken.Read(token, verifier, Now));
        Assert.Null(JsonWebToken.Read(token, TokenKeyFile.Make(method).Load(method), Now));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_token_with_any_part_changed_is_none(string method)
    {
        var key = TokenKeyFile.Make(method).Load(method);
        var parts = JsonWebToken.Write(Claims, key).Split('.');
        var other = JsonWebToken.Write(Claims with { User = "root" }, key).Split('.');
        Assert.Null(JsonWebToken.Read($"{parts[0]}.{other[1]}.{parts[2]}", key, Now));
        Assert.Null(JsonWebToken.Read($"{parts[0]}.{parts[1]}.{other[2]}", key, Now));
        Assert.Null(JsonWebToken.Read($"{parts[0]}.{parts[1]}.", key, Now));
        Assert.Null(JsonWebToken.Read($"{parts[0]}.{parts[1]}.{parts[2][..^4]}", key, Now));
        Assert.Null(JsonWebToken.Read($"{parts[0]}.{parts[1]}", key, Now));
    }

    /// <summary>Two old attacks: "none", and an HMAC with the public key as its secret.</summary>
    [Fact]
    public void A_token_does_not_get_to_choose_its_method()
    {
        var files = TokenKeyFile.Make("RS256");
        var key = files.Load("RS256");
        var body = JsonWebToken.Write(Claims, key).Split('.')[1];
        foreach (var method in new[] { "none", "None", "HS256", "RS384" })
            Assert.Null(JsonWebToken.Read($"{Encode($$"""{"alg":"{{method}}","typ":"JWT"}""")}.{body}.", key, Now));
        Assert.Null(JsonWebToken.Read(JsonWebToken.Write(Claims, new TokenKeyFiles(files.Open, null).Load("HS256")), key, Now));
    }

    [Theory]
    [InlineData("""{"username":"alice","revision":7}""", true)]
    [InlineData("""{"username":"alice","revision":7,"exp":1767323046}""", true)]
    [InlineData("""{"username":"alice","revision":7,"exp":1767323046.5,"nbf":1767323045,"iss":"somebody"}""", true)]
    [InlineData("""{"username":"alice","revision":7,"nbf":1767323046}""", false)]
    [InlineData("""{"username":"alice","revision":7,"exp":"soon"}""", false)]
    [InlineData("""{"username":"alice","revision":7,"exp":1e300}""", false)]
    [InlineData("""{"username":"alice","revision":"7"}""", false)]
    [InlineData("""{"username":"alice","revision":-7}""", false)]
    [InlineData("""{"username":"alice"}""", false)]
    [InlineData("""{"username":7,"revision":7}""", false)]
    [InlineData("""{"revision":7}""", false)]
    [InlineData("[]", false)]
    [InlineData("7", false)]
    [InlineData("{", false)]
    [InlineData("", false)]
    public void What_others_sign_is_taken_when_it_names_user_and_revision(string body, bool taken)
    {
        var key = TokenKeyFile.Make("HS256").Load("HS256");
        var text = $"{Encode("""{"alg":"HS256"}""")}.{Encode(body)}";
        var read = JsonWebToken.Read($"{text}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(text)))}", key, Now);
        TokenClaims? expected = taken ? new("alice", 7, null) : null;
        Assert.Equal(expected, read is { } found ? found with { Expires = null } : read);
    }

    [Fact]
    public void A_token_holds_until_it_expires()
    {
        Assert.True(Claims.HoldAt(Now.AddMinutes(5).AddTicks(-1)));
        Assert.False(Claims.HoldAt(Now.AddMinutes(5)));
        Assert.True((Claims with { Expires = null }).HoldAt(DateTimeOffset.MaxValue));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("...")]
    [InlineData("a.b.c")]
    [InlineData("ä.ö.ü")]
    [InlineData("abcdefghijklmnop.17")]
    public void Garbage_is_no_token(string token)
    {
        foreach (var method in TokenKeyFile.Methods) Assert.Null(JsonWebToken.Read(token, TokenKeyFile.Make(method).Load(method), Now));
    }

    /// <summary>RFC 8037, appendix A.4.</summary>
    [Fact]
    public void Signatures_on_Ed25519_are_those_of_the_standard()
    {
        var secret = new Ed25519PrivateKeyParameters(Base64Url.DecodeFromChars("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
        var key = new Ed25519TokenKey(secret, secret.GeneratePublicKey());
        var signature = key.Sign("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"u8.ToArray());
        Assert.Equal("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", Base64Url.EncodeToString(signature));
    }

    static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
