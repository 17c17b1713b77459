using System.Security.Cryptography;
using System.Text;

namespace Store.Server;

/// <summary>The blocks of a PEM file. A file that ends inside a block is refused: somebody is still writing it.</summary>
static class PemFile
{
    /// <exception cref="FormatException">The file ends inside a block.</exception>
    public static List<(string Label, byte[] Data)> Blocks(byte[] file)
    {
        var blocks = new List<(string, byte[])>();
        ReadOnlySpan<char> text = Encoding.UTF8.GetString(file);
        while (PemEncoding.TryFind(text, out var fields))
        {
            blocks.Add((text[fields.Label].ToString(), Convert.FromBase64String(text[fields.Base64Data].ToString())));
            text = text[fields.Location.End..];
        }

        return text.Contains("-----BEGIN", StringComparison.Ordinal) ? throw new FormatException("it ends, or is damaged, inside a PEM block") : blocks;
    }
}
