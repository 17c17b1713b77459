using System.Security.Cryptography;
using System.Text;

namespace Store.Agent;

/// <summary>
/// The key of an encrypted location: 256 bits out of a file, as they are or in hexadecimal or base64. Objects are encrypted and manifests sealed with keys derived from
/// it, so that no key does two things.
/// </summary>
public sealed class BackupKey
{
    const int KeyBytes = 32;
    const int IdBytes = 8;

    BackupKey(byte[] key)
    {
        Id = Convert.ToHexStringLower(Derive(key, "storecluster backup key id").AsSpan(0, IdBytes));
        Encryption = Derive(key, "storecluster backup objects");
        Sealing = Derive(key, "storecluster backup manifests");
    }

    /// <summary>Stands in manifests, and tells nothing of the key.</summary>
    public string Id { get; }

    internal byte[] Encryption { get; }

    internal byte[] Sealing { get; }

    public static BackupKey Read(string path)
    {
        try
        {
            return Of(File.ReadAllBytes(path)) ?? throw new BackupException(
                BackupFailure.Misconfigured, $"{path}: an encryption key is 32 bytes, or these in hexadecimal or base64; make one with: openssl rand -hex 32");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupFailure.Misconfigured, $"the encryption key cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Null when these bytes are no key.</summary>
    public static BackupKey? Of(byte[] file)
    {
        if (file.Length == KeyBytes) return new(file);
        var text = Encoding.ASCII.GetString(file).Trim();
        if (text.Length == 2 * KeyBytes && text.All(char.IsAsciiHexDigit)) return new(Convert.FromHexString(text));
        var bytes = new byte[KeyBytes];
        return Convert.TryFromBase64String(text, bytes, out var count) && count == KeyBytes ? new(bytes) : null;
    }

    static byte[] Derive(byte[] key, string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, KeyBytes, info: Encoding.ASCII.GetBytes(purpose));
}
