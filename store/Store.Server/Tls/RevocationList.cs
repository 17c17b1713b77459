using System.Collections.Frozen;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>The certificates that a file of revocation lists (RFC 5280 §5; PEM, of one or several authorities, or DER) takes back.</summary>
/// <remarks>The file is as trusted as the authority's beside it, so signatures and dates of lists are not looked at; nor are they in etcd.</remarks>
sealed class RevocationList
{
    const string PemLabel = "X509 CRL";

    readonly FrozenSet<(string Issuer, BigInteger Serial)> revoked;

    RevocationList(IEnumerable<(string, BigInteger)> revoked) => this.revoked = revoked.ToFrozenSet();

    public static RevocationList Empty { get; } = new([]);

    /// <exception cref="FormatException">The file is not such a list, or only a part of one.</exception>
    public static RevocationList Parse(byte[] file)
    {
        try
        {
            // DER begins with the tag of a sequence, PEM with dashes or a comment.
            if (file is [0x30, ..]) return new(Entries(file));
            var lists = PemFile.Blocks(file).Where(block => block.Label == PemLabel).ToList();
            return lists.Count > 0 ? new(lists.SelectMany(list => Entries(list.Data))) : throw new FormatException("no revocation list (X509 CRL) in it");
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException)
        {
            throw new FormatException("not a revocation list: " + exception.Message);
        }
    }

    public bool Holds(X509Certificate2 certificate) =>
        revoked.Count > 0 && revoked.Contains((certificate.IssuerName.Name, new(certificate.SerialNumberBytes.Span, isBigEndian: true)));

    static List<(string, BigInteger)> Entries(byte[] der)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) list.ReadInteger(); // The version.
        list.ReadSequence(); // The signature's algorithm.
        var issuer = new X500DistinguishedName(list.ReadEncodedValue().Span).Name;
        SkipTime(list);
        if (list.HasData && IsTime(list.PeekTag())) SkipTime(list);
        if (!list.HasData || !list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence)) return [];
        var entries = list.ReadSequence();
        var revoked = new List<(string, BigInteger)>();
        while (entries.HasData) revoked.Add((issuer, entries.ReadSequence().ReadInteger()));
        return revoked;
    }

    static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    static void SkipTime(AsnReader list)
    {
        if (!IsTime(list.PeekTag())) throw new FormatException("not a revocation list: no time of issue");
        list.ReadEncodedValue();
    }
}
