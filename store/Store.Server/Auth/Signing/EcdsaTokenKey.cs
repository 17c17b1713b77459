using System.Security.Cryptography;

namespace Store.Server;

/// <summary>ES256, ES384, ES512: both halves of the signature one behind the other, each as long as the curve's numbers.</summary>
sealed class EcdsaTokenKey(string method, ECDsa key, bool canSign, HashAlgorithmName hash) : TokenKey(method)
{
    /// <summary>.NET's keys promise nothing to two threads at once.</summary>
    readonly Lock turn = new();

    public override bool CanSign => canSign;

    public override byte[] Sign(byte[] text)
    {
        lock (turn) return key.SignData(text, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public override bool Verify(byte[] text, byte[] signature)
    {
        lock (turn) return key.VerifyData(text, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
