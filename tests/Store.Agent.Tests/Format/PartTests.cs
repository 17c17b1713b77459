using System.Text;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>Nothing that was changed, moved or encrypted with another key is taken for what was stored.</summary>
public sealed class PartTests
{
    static readonly BackupKey Key = BackupKey.Of(new byte[32])!;
    static readonly BackupKey Other = BackupKey.Of(Encoding.ASCII.GetBytes(new string('a', 64)))!;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void A_part_comes_back(int bytes)
    {
        var plain = new byte[bytes];
        new Random(bytes).NextBytes(plain.AsSpan(0, bytes / 2));
        Assert.Equal(plain, PartCodec.Decode(PartCodec.Encode(plain, null, "a", 1), null, "a", 1));
        var encrypted = PartCodec.Encode(plain, Key, "a", 1);
        Assert.Equal(plain, PartCodec.Decode(encrypted, Key, "a", 1));
        Assert.True(encrypted.Length < 100 + bytes * 0.6);
    }

    [Fact]
    public void An_encrypted_part_opens_only_whole_in_its_own_place_and_with_its_key()
    {
        var part = PartCodec.Encode(new byte[100], Key, "a", 1);
        Assert.Contains("is encrypted; give its key", Fail(part, null, "a", 1), StringComparison.Ordinal);
        Assert.Contains("changed, or encrypted with another key", Fail(part, Other, "a", 1), StringComparison.Ordinal);
        Fail(part, Key, "a", 2);
        Fail(part, Key, "b", 1);
        for (var at = 0; at < part.Length; at++)
        {
            var damaged = part.ToArray();
            damaged[at] ^= 1;
            Fail(damaged, Key, "a", 1);
            if (at > 0) Fail(part[..at], Key, "a", 1);
        }
    }

    [Fact]
    public void The_same_content_is_never_encrypted_alike() => Assert.NotEqual(PartCodec.Encode(new byte[10], Key, "a", 1), PartCodec.Encode(new byte[10], Key, "a", 1));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_manifest_with_one_other_bit_is_none(bool encrypted)
    {
        var key = encrypted ? Key : null;
        var text = ManifestText.Write(ManifestOf.Full(7) with { KeyId = key?.Id }, key);
        var read = ManifestText.Read("name", text, key);
        Assert.Equal((7, "full"), (read.To, read.Kind.ToString().ToLowerInvariant()));
        for (var at = 0; at < text.Length - 1; at++)
        {
            var damaged = text.ToArray();
            damaged[at] ^= 1;
            Assert.Throws<BackupException>(() => ManifestText.Read("name", damaged, key));
            Assert.Throws<BackupException>(() => ManifestText.Read("name", text[..at], key));
        }
    }

    [Fact]
    public void A_manifest_of_another_key_says_which_it_needs()
    {
        var text = ManifestText.Write(ManifestOf.Full(7) with { KeyId = Key.Id }, Key);
        Assert.Contains($"encrypted with key {Key.Id}, and --encryption-key-file holds key {Other.Id}", Assert.Throws<BackupException>(() => ManifestText.Read("m", text, Other)).Message, StringComparison.Ordinal);
        Assert.Contains("give its key with --encryption-key-file", Assert.Throws<BackupException>(() => ManifestText.Read("m", text, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_gives_a_key_gets_nothing_that_was_made_without_it() => Assert.Contains(
        "the backup is not encrypted", Assert.Throws<BackupException>(() => ManifestText.Read("m", ManifestText.Write(ManifestOf.Full(7), null), Key)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_key_is_32_bytes_in_one_of_three_forms()
    {
        var bytes = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var ids = new[] { bytes, Encoding.ASCII.GetBytes(Convert.ToHexString(bytes) + "\n"), Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)) }.Select(file => BackupKey.Of(file)!.Id);
        Assert.Single(ids.Distinct());
        Assert.Null(BackupKey.Of(bytes[..31]));
        Assert.Null(BackupKey.Of(Encoding.ASCII.GetBytes("secret")));
    }

    static string Fail(byte[] part, BackupKey? key, string backup, int number) => Assert.Throws<BackupException>(() => PartCodec.Decode(part, key, backup, number)).Message;
}
