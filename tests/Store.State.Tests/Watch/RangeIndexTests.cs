using Xunit;

namespace Store.State.Tests;

public sealed class RangeIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Finds_what_looking_at_every_range_finds(int seed)
    {
        var random = new Random(seed);
        var index = new RangeIndex<string>();
        var model = new List<WatchRange>();
        for (var step = 0; step < 4000; step++)
        {
            var range = RandomRange(random);
            var at = model.FindIndex(range.Equals);
            if (random.Next(3) > 0)
            {
                if (range.IsEmpty || at >= 0) continue;
                model.Add(range);
                index.Add(range, Name(range));
            }
            else if (model.Count > 0)
            {
                var victim = at >= 0 ? at : random.Next(model.Count);
                index.Remove(model[victim]);
                model.RemoveAt(victim);
            }
            var key = RandomKey(random);
            var found = new List<string>();
            index.Match(key, found);
            Assert.Equal(model.Where(r => r.Contains(key)).Select(Name).Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
        Assert.All(model, range => Assert.Equal(Name(range), index.Find(range)));
    }

    static string Name(WatchRange range) => $"{Convert.ToHexString(range.Key)}-{range.GetHashCode()}";

    static WatchRange RandomRange(Random random) => WatchRange.Of(RandomKey(random), random.Next(4) switch
    {
        0 => [],
        1 => [0],
        _ => RandomKey(random),
    });

    static byte[] RandomKey(Random random)
    {
        var key = new byte[random.Next(1, 4)];
        for (var i = 0; i < key.Length; i++) key[i] = (byte)random.Next(1, 6);
        return key;
    }
}
