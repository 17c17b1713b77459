using Google.Protobuf;
using Xunit;
using PermissionType = Store.Protocol.Authpb.Permission.Types.Type;

namespace Store.State.Tests;

/// <summary>Merged permissions against the plain meaning of each: all keys of two letters out of three, and everything behind the last.</summary>
public class KeyRangesTests
{
    const string Letters = "abc";
    static readonly string[] Keys = [.. Letters.Select(a => $"{a}"), .. Letters.SelectMany(a => Letters.Select(b => $"{a}{b}"))];
    static readonly string[] Ends = ["", "\0", .. Keys];

    [Fact]
    public void A_range_is_covered_exactly_when_each_of_its_keys_is_permitted()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            var permissions = Enumerable.Range(0, random.Next(6))
                .Select(_ => new RangePermission(PermissionType.Read, Text(Keys[random.Next(Keys.Length)]), Text(Ends[random.Next(Ends.Length)]))).ToList();
            var ranges = KeyRanges.Of(permissions);
            foreach (var key in Keys)
            {
                foreach (var end in Ends.Where(end => end is "" or "\0" || string.CompareOrdinal(key, end) < 0))
                {
                    var expected = KeysOf(key, end).All(each => permissions.Any(permission => Holds(permission, each)));
                    Assert.True(expected == ranges.Cover(Text(key).Span, Text(end).Span), $"seed {seed}: [{key}, {end}) of {string.Join(' ', permissions)}");
                }
            }
        }
    }

    /// <summary>Every point at which coverage could change: each key, just behind it, and far behind all.</summary>
    static IEnumerable<string> KeysOf(string key, string end) => end.Length == 0
        ? [key]
        : Keys.SelectMany(each => new[] { each, each + "\0", each + "\x01" }).Append("zz").Where(each => string.CompareOrdinal(each, key) >= 0 && (end == "\0" || string.CompareOrdinal(each, end) < 0));

    static bool Holds(RangePermission permission, string key)
    {
        var (from, to) = (permission.Key.ToStringUtf8(), permission.RangeEnd.ToStringUtf8());
        if (to.Length == 0) return key == from;
        return string.CompareOrdinal(key, from) >= 0 && (to == "\0" || string.CompareOrdinal(key, to) < 0);
    }

    static ByteString Text(string text) => ByteString.CopyFromUtf8(text);
}
