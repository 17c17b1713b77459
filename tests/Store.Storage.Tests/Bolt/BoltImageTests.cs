using Store.State;
using Xunit;

namespace Store.Storage.Tests;

/// <summary>The bbolt file that snapshots are, written and read back. That etcd reads it, too, is for the tests with real processes.</summary>
public sealed class BoltImageTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    string File => Path.Combine(folder.Path, "db");

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 300)]
    [InlineData(4, 60_000)]
    public void Pairs_come_back_as_they_were(int seed, int pairs)
    {
        var buckets = Random(seed, pairs);
        Write(buckets);
        using var file = BoltFile.Open(File);
        Assert.Equal(buckets.Select(bucket => bucket.Name), file.Buckets);
        foreach (var (name, expected) in buckets)
            Assert.Equal(expected.Select(Text), file.Read(name).Select(Text));
        Assert.Equal(new FileInfo(File).Length, file.SizeBytes);
    }

    /// <summary>Users and roles have names of any length up to bbolt's limit: a page for a few, for one, and pages for one.</summary>
    [Theory]
    [InlineData(3_000, 4_200, 200)]
    [InlineData(4_030, 4_100, 70)]
    [InlineData(1_900, 2_100, 100)]
    [InlineData(8_000, 8_300, 40)]
    [InlineData(32_700, 32_768, 69)]
    [InlineData(1, 32_768, 300)]
    public void Keys_near_and_over_the_size_of_a_page_come_back_as_they_were(int shortest, int longest, int count)
    {
        var random = new Random(count);
        var pairs = Enumerable.Range(0, count)
            .Select(n => $"{n:D5}".PadRight(Math.Max(5, shortest + (int)((long)(longest - shortest) * n / Math.Max(1, count - 1))), 'x'))
            .Select(key => new BackendPair(System.Text.Encoding.ASCII.GetBytes(key), new byte[random.Next(200)]))
            .ToArray();
        BackendBucket[] buckets = [new("authUsers", pairs), new("key", pairs.Take(1))];
        Write(buckets);
        using var file = BoltFile.Open(File);
        foreach (var (name, expected) in buckets)
            Assert.Equal(expected.Select(Text), file.Read(name).Select(Text));
    }

    [Fact]
    public void A_file_that_was_cut_off_says_so()
    {
        Write(Random(5, 1000));
        using (var stream = new FileStream(File, FileMode.Open)) stream.SetLength(stream.Length - 4096);
        Assert.Contains("was cut off", Fail(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_something_else_says_so()
    {
        System.IO.File.WriteAllBytes(File, new byte[100_000]);
        Assert.Contains("this is no snapshot of etcd", Fail(), StringComparison.Ordinal);
        System.IO.File.WriteAllBytes(File, []);
        Assert.Contains("this is no snapshot of etcd", Fail(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_damaged_meta_page_is_borne()
    {
        Write(Random(6, 10));
        Damage(at: 20);
        using var file = BoltFile.Open(File);
        Assert.Equal(3, file.Buckets.Count());
    }

    [Fact]
    public void Damage_anywhere_is_an_error_or_another_value_but_never_anything_else()
    {
        var buckets = Random(7, 400);
        Write(buckets);
        var whole = System.IO.File.ReadAllBytes(File);
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            System.IO.File.WriteAllBytes(File, whole);
            for (var i = 0; i < 4; i++) Damage(random.Next(whole.Length / 4096) * 4096 + random.Next(400));
            try
            {
                using var file = BoltFile.Open(File);
                foreach (var bucket in file.Buckets) _ = file.Read(bucket).Count();
            }
            catch (StorageException e)
            {
                Assert.Contains(File, e.Message, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>On both sides of the limit up to which pages are kept, and far from it.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 1)]
    [InlineData(20, 2)]
    public void Only_the_pairs_of_a_long_file_are_gone_through_twice(int mebibytes, int times)
    {
        var (read, content) = (0, new byte[1 << 20]);
        IEnumerable<BackendPair> Pairs()
        {
            read++;
            for (var i = 0; i < mebibytes; i++) yield return new(new[] { (byte)i }, content);
        }
        Write([new("key", Pairs())]);
        Assert.Equal(times, read);
        using var file = BoltFile.Open(File);
        Assert.Equal(mebibytes, file.Read("key").Count());
    }

    public void Dispose() => folder.Dispose();

    string Fail() => Assert.Throws<StorageException>(() => BoltFile.Open(File)).Message;

    void Damage(long at)
    {
        using var stream = new FileStream(File, FileMode.Open);
        stream.Position = at;
        var b = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)~b);
    }

    void Write(IReadOnlyList<BackendBucket> buckets)
    {
        using var stream = new FileStream(File, FileMode.Create);
        using var layout = BoltImage.Measure(buckets, CancellationToken.None);
        foreach (var piece in BoltImage.Write(buckets, layout)) stream.Write(piece.Span);
    }

    /// <summary>Three buckets, one of them empty, one with values up to several pages.</summary>
    static BackendBucket[] Random(int seed, int count)
    {
        var random = new Random(seed);
        var pairs = new SortedDictionary<string, BackendPair>(StringComparer.Ordinal);
        while (pairs.Count < count)
        {
            var key = new byte[random.Next(1, 40)];
            random.NextBytes(key);
            var value = new byte[random.Next(50) == 0 ? random.Next(20_000) : random.Next(100)];
            random.NextBytes(value);
            pairs[Convert.ToHexString(key)] = new(key, value);
        }
        var sorted = pairs.Values.ToArray();
        return [new("empty", []), new("one", sorted.Take(1)), new("x", sorted)];
    }

    static string Text(BackendPair pair) => Convert.ToHexString(pair.Key.Span) + "=" + Convert.ToHexString(pair.Value.Span);
}
