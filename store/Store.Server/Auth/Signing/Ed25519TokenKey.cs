using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

namespace Store.Server;

/// <summary>EdDSA on Ed25519, which .NET does not have.</summary>
/// <param name="secret">Null to verify only.</param>
sealed class Ed25519TokenKey(Ed25519PrivateKeyParameters? secret, Ed25519PublicKeyParameters key) : TokenKey("EdDSA")
{
    public override bool CanSign => secret is not null;

    public override byte[] Sign(byte[] text)
    {
        var signer = new Ed25519Signer();
        signer.Init(forSigning: true, secret);
        signer.BlockUpdate(text, 0, text.Length);
        return signer.GenerateSignature();
    }

    public override bool Verify(byte[] text, byte[] signature)
    {
        var verifier = new Ed25519Signer();
        verifier.Init(forSigning: false, key);
        verifier.BlockUpdate(text, 0, text.Length);
        return verifier.VerifySignature(signature);
    }
}
