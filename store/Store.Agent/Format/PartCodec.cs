using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ZstdSharp;

namespace Store.Agent;

/// <summary>
/// One stored object of a backup: up to <see cref="PlainBytesMax"/> of its content, compressed with Zstandard, then encrypted with AES-256-GCM if there is a key.
/// </summary>
/// <remarks>
/// bytes 0-3   "SCBP"
/// byte 4      format, 1
/// byte 5      flags: 1 encrypted
/// bytes 6-7   zero
/// bytes 8-11  length of the content, big-endian
/// then, if encrypted, 12 bytes of nonce and 16 of tag
/// then the Zstandard frame
///
/// The tag also covers the header and the part's name, "id/number": a part that was moved to another place, or that comes from another backup, does not open.
/// Nonces are random: with one key some 2^32 parts may be written, 64 PiB.
/// </remarks>
static class PartCodec
{
    public const int PlainBytesMax = 16 << 20;
    const int HeaderBytes = 12, NonceBytes = 12, TagBytes = 16;
    const int SealBytes = NonceBytes + TagBytes;
    const byte Format = 1, Encrypted = 1;

    /// <summary>Half as large as content of Kubernetes' kind at 300 MB/s; the next levels take twice the time for a few percent.</summary>
    const int Level = 3;

    static ReadOnlySpan<byte> Magic => "SCBP"u8;

    public static byte[] Encode(ReadOnlySpan<byte> plain, BackupKey? key, string backup, int number)
    {
        Raft.Invariant.Require(plain.Length <= PlainBytesMax);
        using var compressor = new Compressor(Level);
        var bodyAt = HeaderBytes + (key is null ? 0 : SealBytes);
        var part = new byte[bodyAt + Compressor.GetCompressBound(plain.Length)];
        WriteHeader(part, plain.Length, key is null ? (byte)0 : Encrypted);
        var body = part.AsSpan(bodyAt, compressor.Wrap(plain, part.AsSpan(bodyAt)));
        if (key is not null)
        {
            var nonce = part.AsSpan(HeaderBytes, NonceBytes);
            RandomNumberGenerator.Fill(nonce);
            using var cipher = new AesGcm(key.Encryption, TagBytes);
            cipher.Encrypt(nonce, body, body, part.AsSpan(HeaderBytes + NonceBytes, TagBytes), Bound(part, backup, number));
        }
        return part.AsSpan(0, bodyAt + body.Length).ToArray();
    }

    /// <exception cref="BackupException">Damaged, or encrypted with another key.</exception>
    public static byte[] Decode(byte[] part, BackupKey? key, string backup, int number)
    {
        if (part.Length < HeaderBytes || !part.AsSpan(0, 4).SequenceEqual(Magic)) throw Damaged(backup, number, "it is no part of a backup");
        if (part[4] != Format) throw Damaged(backup, number, $"it has format {part[4]}, this program knows {Format}; use the version that wrote it");
        var length = BinaryPrimitives.ReadInt32BigEndian(part.AsSpan(8));
        if (length is < 0 or > PlainBytesMax) throw Damaged(backup, number, $"it claims {length} bytes");
        var body = part[5] == Encrypted ? Decrypt(part, key, backup, number) : part.AsSpan(HeaderBytes);
        return Decompress(body, length, backup, number);
    }

    static Span<byte> Decrypt(byte[] part, BackupKey? key, string backup, int number)
    {
        if (key is null) throw new BackupException(BackupFailure.Misconfigured, $"backup {backup} is encrypted; give its key with --encryption-key-file");
        if (part.Length < HeaderBytes + SealBytes) throw Damaged(backup, number, "it was cut off");
        var plain = new byte[part.Length - HeaderBytes - SealBytes];
        try
        {
            using var cipher = new AesGcm(key.Encryption, TagBytes);
            cipher.Decrypt(
                part.AsSpan(HeaderBytes, NonceBytes), part.AsSpan(HeaderBytes + SealBytes), part.AsSpan(HeaderBytes + NonceBytes, TagBytes), plain, Bound(part, backup, number));
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Damaged(backup, number, "it was changed, or encrypted with another key");
        }
    }

    static byte[] Decompress(ReadOnlySpan<byte> body, int length, string backup, int number)
    {
        var plain = new byte[length];
        try
        {
            using var decompressor = new Decompressor();
            if (decompressor.Unwrap(body, plain) == length) return plain;
        }
        catch (ZstdException)
        {
            // Told below.
        }
        throw Damaged(backup, number, "it cannot be decompressed");
    }

    static void WriteHeader(Span<byte> part, int plainBytes, byte flags)
    {
        Magic.CopyTo(part);
        part[4] = Format;
        part[5] = flags;
        BinaryPrimitives.WriteInt32BigEndian(part[8..], plainBytes);
    }

    static byte[] Bound(ReadOnlySpan<byte> part, string backup, int number) =>
        [.. part[..HeaderBytes], .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{backup}/{number}"))];

    static BackupException Damaged(string backup, int number, string how) =>
        new(BackupFailure.Damaged, $"part {number} of backup {backup} is damaged: {how}; restore from another backup");
}
