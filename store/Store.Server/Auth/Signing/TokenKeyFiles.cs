using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace Store.Server;

/// <summary>Reads the keys of signed tokens from their files: PEM, but for the secret of the HS methods.</summary>
/// <param name="secret">Contents of the private key's file; null when none was given.</param>
/// <param name="open">Contents of the public key's file; null when none was given. It may also be a certificate.</param>
sealed class TokenKeyFiles(byte[]? secret, byte[]? open)
{
    /// <exception cref="InvalidDataException">The method is none, or the keys do not fit it or each other; the message says why.</exception>
    /// <exception cref="CryptographicException">A file holds no key.</exception>
    /// <exception cref="ArgumentException">A file is no PEM.</exception>
    public TokenKey Load(string method) => method switch
    {
        "HS256" or "HS384" or "HS512" => new HmacTokenKey(method, HashOf(method), secret is { Length: > 0 } ? secret : throw new InvalidDataException($"{method} needs priv-key, the secret's file")),
        "RS256" or "RS384" or "RS512" => Rsa(method, RSASignaturePadding.Pkcs1),
        "PS256" or "PS384" or "PS512" => Rsa(method, RSASignaturePadding.Pss),
        "ES256" => Ecdsa(method, 256),
        "ES384" => Ecdsa(method, 384),
        "ES512" => Ecdsa(method, 521),
        "EdDSA" => Ed25519(),
        _ => throw new InvalidDataException($"sign-method must be HS256, RS256, PS256, ES256 (or any of these with 384 or 512) or EdDSA, not '{method}'"),
    };

    static HashAlgorithmName HashOf(string method) => new("SHA" + method[2..]);

    RsaTokenKey Rsa(string method, RSASignaturePadding padding)
    {
        var key = Pair(method, RSA.Create, static (key, pem) => key.ImportFromPem(pem), static certificate => certificate.GetRSAPublicKey());
        return new(method, key, secret is not null, HashOf(method), padding);
    }

    EcdsaTokenKey Ecdsa(string method, int curveBits)
    {
        var key = Pair(method, ECDsa.Create, static (key, pem) => key.ImportFromPem(pem), static certificate => certificate.GetECDsaPublicKey());
        return key.KeySize == curveBits
            ? new(method, key, secret is not null, HashOf(method))
            : throw new InvalidDataException($"{method} needs a key on a curve of {curveBits} bits, not of {key.KeySize}");
    }

    Ed25519TokenKey Ed25519()
    {
        var signing = secret is null ? null : PrivateKeyFactory.CreateKey(Der(secret, "PRIVATE KEY")) as Ed25519PrivateKeyParameters ?? throw new InvalidDataException("priv-key is no Ed25519 key");
        var given = open is null ? null : PublicKeyFactory.CreateKey(Der(open, "PUBLIC KEY")) as Ed25519PublicKeyParameters ?? throw new InvalidDataException("pub-key is no Ed25519 key");
        var derived = signing?.GeneratePublicKey();
        if (derived is not null && given is not null && !derived.GetEncoded().AsSpan().SequenceEqual(given.GetEncoded())) throw Mismatch();
        return new(signing, derived ?? given ?? throw NoKey("EdDSA"));
    }

    /// <summary>The private key when there is one, which then must be the public one's.</summary>
    TKey Pair<TKey>(string method, Func<TKey> create, Action<TKey, string> import, Func<X509Certificate2, TKey?> fromCertificate)
        where TKey : AsymmetricAlgorithm
    {
        var given = open is null ? null : Public(Encoding.UTF8.GetString(open), create, import, fromCertificate);
        if (secret is null) return given ?? throw NoKey(method);
        var key = create();
        import(key, Encoding.UTF8.GetString(secret));
        if (given is not null && !given.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo())) throw Mismatch();
        return key;
    }

    static TKey Public<TKey>(string pem, Func<TKey> create, Action<TKey, string> import, Func<X509Certificate2, TKey?> fromCertificate)
        where TKey : AsymmetricAlgorithm
    {
        if (PemEncoding.TryFind(pem, out var fields) && pem[fields.Label] == "CERTIFICATE")
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            return fromCertificate(certificate) ?? throw new InvalidDataException("the certificate in pub-key is for keys of another kind");
        }

        var key = create();
        import(key, pem);
        return key;
    }

    static byte[] Der(byte[] file, string label)
    {
        var pem = Encoding.UTF8.GetString(file);
        return PemEncoding.TryFind(pem, out var fields) && pem[fields.Label] == label
            ? Convert.FromBase64String(pem[fields.Base64Data])
            : throw new InvalidDataException($"there is no {label} in PEM");
    }

    static InvalidDataException NoKey(string method) => new($"{method} needs priv-key, or pub-key to verify only");

    static InvalidDataException Mismatch() => new("pub-key and priv-key do not belong together");
}
