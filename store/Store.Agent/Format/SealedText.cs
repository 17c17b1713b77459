using System.Security.Cryptography;
using System.Text;

namespace Store.Agent;

/// <summary>
/// JSON that people can read, and behind it a line that holds it together. With a key the line is a MAC, so that nobody without the key can make one.
/// <code>
/// { "format": 1, "id": "20261127T203400Z-1f2e3d4c", "kind": "full", ... }
/// sha256 9f86d081884c7d65...
/// </code>
/// </summary>
sealed record SealedText(string Json, string Seal)
{
    const string Checksum = "sha256", Mac = "hmac-sha256";

    public bool IsSecret => Seal.StartsWith(Mac, StringComparison.Ordinal);

    /// <param name="json">Without a line's end.</param>
    public static byte[] Write(string json, BackupKey? key) => Encoding.UTF8.GetBytes($"{json}\n{SealOf($"{json}\n", key)}\n");

    public static SealedText Read(byte[] content)
    {
        var text = Encoding.UTF8.GetString(content);
        var end = text.TrimEnd('\n').LastIndexOf('\n') + 1;
        return new(text[..end], text[end..].TrimEnd('\n'));
    }

    /// <summary>Whether it is as it was written, with this key.</summary>
    public bool Holds(BackupKey? key) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Seal), Encoding.UTF8.GetBytes(SealOf(Json, key)));

    static string SealOf(string json, BackupKey? key)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        return key is null ? $"{Checksum} {Convert.ToHexStringLower(SHA256.HashData(bytes))}" : $"{Mac} {Convert.ToHexStringLower(HMACSHA256.HashData(key.Sealing, bytes))}";
    }
}
