using System.Text;

namespace Benchmarks;

/// <summary>Keys and values as long as those Kubernetes writes.</summary>
static class Keys
{
    public const int KeyBytes = 64;
    public const int ValueBytes = 512;

    /// <example>/registry/put/000000000000000000000000000000000000000000000000017 (64 bytes)</example>
    public static byte[] Make(string family, int number)
    {
        var prefix = $"/registry/{family}/";
        return Encoding.ASCII.GetBytes(prefix + number.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(KeyBytes - prefix.Length, '0'));
    }

    public static byte[][] Many(string family, int count) => [.. Enumerable.Range(0, count).Select(n => Make(family, n))];

    /// <summary>Random bytes, so that no compression on the way makes a server look better than real values would.</summary>
    public static byte[] Value(Random random)
    {
        var value = new byte[ValueBytes];
        random.NextBytes(value);
        return value;
    }
}
