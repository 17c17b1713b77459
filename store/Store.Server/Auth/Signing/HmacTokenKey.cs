using System.Security.Cryptography;

namespace Store.Server;

/// <summary>HS256, HS384, HS512: one secret both signs and verifies. As in etcd it is the whole file, to the last byte.</summary>
sealed class HmacTokenKey(string method, HashAlgorithmName hash, byte[] secret) : TokenKey(method)
{
    public override bool CanSign => true;

    public override byte[] Sign(byte[] text) => CryptographicOperations.HmacData(hash, secret, text);

    public override bool Verify(byte[] text, byte[] signature) => CryptographicOperations.FixedTimeEquals(Sign(text), signature);
}
