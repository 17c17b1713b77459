namespace Store.Server;

/// <summary>The key of signed tokens, with the method that its tokens name (RFC 7518, 3.1). Safe for many threads.</summary>
/// <param name="method">"RS256".</param>
abstract class TokenKey(string method)
{
    public string Method => method;

    /// <summary>Without a private key the tokens of other members are recognised, but none is issued.</summary>
    public abstract bool CanSign { get; }

    public abstract byte[] Sign(byte[] text);

    public abstract bool Verify(byte[] text, byte[] signature);
}
