using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace Store.Server.Tests;

/// <summary>Fresh keys for each method of signing, as the contents of the files that --auth-token names.</summary>
sealed record TokenKeyFile(byte[] Secret, byte[]? Open)
{
    public static readonly string[] Methods = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

    public static TokenKeyFile Make(string method) => method[..2] switch
    {
        "HS" => new(RandomNumberGenerator.GetBytes(40), null),
        "RS" or "PS" => Rsa(),
        "ES" => Ecdsa(method == "ES256" ? ECCurve.NamedCurves.nistP256 : method == "ES384" ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP521),
        _ => Ed25519(),
    };

    public TokenKey Load(string method) => new TokenKeyFiles(Secret, Open).Load(method);

    static TokenKeyFile Rsa()
    {
        using var key = RSA.Create(2048);
        return new(Bytes(key.ExportRSAPrivateKeyPem()), Bytes(key.ExportSubjectPublicKeyInfoPem()));
    }

    static TokenKeyFile Ecdsa(ECCurve curve)
    {
        using var key = ECDsa.Create(curve);
        return new(Bytes(key.ExportECPrivateKeyPem()), Bytes(key.ExportSubjectPublicKeyInfoPem()));
    }

    static TokenKeyFile Ed25519()
    {
        var generator = new Ed25519KeyPairGenerator();
        generator.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        var pair = generator.GenerateKeyPair();
        return new(
            Bytes(PemEncoding.WriteString("PRIVATE KEY", PrivateKeyInfoFactory.CreatePrivateKeyInfo(pair.Private).GetDerEncoded())),
            Bytes(PemEncoding.WriteString("PUBLIC KEY", SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(pair.Public).GetDerEncoded())));
    }

    static byte[] Bytes(string text) => System.Text.Encoding.ASCII.GetBytes(text);
}
