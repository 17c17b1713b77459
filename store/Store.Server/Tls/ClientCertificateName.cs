using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Store.Server;

/// <summary>
/// Who the client is by its verified certificate. In `HttpContext.Features` of every request on a connection whose certificate was asked for and holds;
/// absent otherwise, so that an unverified name is never seen.
/// </summary>
/// <param name="CommonName">The subject's last CN, as Go reads it; empty when it has none.</param>
public sealed record ClientCertificateName(string CommonName)
{
    const string CommonNameOid = "2.5.4.3";

    internal static ClientCertificateName Of(X509Certificate2 certificate)
    {
        var name = "";
        var parts = new AsnReader(certificate.SubjectName.RawData, AsnEncodingRules.DER).ReadSequence();
        while (parts.HasData)
        {
            var set = parts.ReadSetOf(skipSortOrderValidation: true);
            while (set.HasData)
            {
                var pair = set.ReadSequence();
                if (pair.ReadObjectIdentifier() == CommonNameOid) name = Text(pair);
            }
        }

        return new(name);
    }

    static string Text(AsnReader value)
    {
        var tag = value.PeekTag();
        return tag.TagClass == TagClass.Universal ? value.ReadCharacterString((UniversalTagNumber)tag.TagValue) : "";
    }
}
