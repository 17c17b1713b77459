using System.Security.Cryptography;

namespace Store.Server;

/// <summary>RS256 to RS512 (PKCS #1) and PS256 to PS512 (PSS, with a salt as long as the hash).</summary>
sealed class RsaTokenKey(string method, RSA key, bool canSign, HashAlgorithmName hash, RSASignaturePadding padding) : TokenKey(method)
{
    /// <summary>.NET's keys promise nothing to two threads at once.</summary>
    readonly Lock turn = new();

    public override bool CanSign => canSign;

    public override byte[] Sign(byte[] text)
    {
        lock (turn) return key.SignData(text, hash, padding);
    }

    public override bool Verify(byte[] text, byte[] signature)
    {
        lock (turn) return key.VerifyData(text, signature, hash, padding);
    }
}
