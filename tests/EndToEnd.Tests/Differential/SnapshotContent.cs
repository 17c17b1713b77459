using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Store.Protocol.Authpb;
using Store.Protocol.Etcdserverpb;
using Store.State;
using Store.Storage;

namespace EndToEnd.Tests;

/// <summary>What a snapshot holds, as far as it is the same for two clusters: not the bytes of the file, nor ids, terms, indexes and hashed passwords.</summary>
static class SnapshotContent
{
    /// <summary>With what is in them. Of the others (members, cluster, meta) it is compared that they are there.</summary>
    static readonly string[] Comparable = ["key", "lease", "alarm", "auth", "authRoles", "authUsers"];

    public static async Task<Answer> TakeAsync(Calls calls, Step.Snapshot step)
    {
        // etcd removes what is compacted in its own time, and a snapshot shows how far it is.
        await calls.CallAsync(new CompactionRequest { Revision = step.Revision, Physical = true }, step.As);
        var file = Path.GetTempFileName();
        try
        {
            var trouble = await DownloadAsync(calls, step.As, file);
            return new Answer(trouble ?? Read(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <returns>What is wrong with the stream, or null.</returns>
    static async Task<string?> DownloadAsync(Calls calls, string? user, string file)
    {
        using var call = new Maintenance.MaintenanceClient(calls.Channel).Snapshot(new SnapshotRequest(), calls.Options(user));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var writer = File.Create(file);
        // The last message is about the others, and none says that it is the last.
        var last = ByteString.Empty;
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            hash.AppendData(last.Span);
            await writer.WriteAsync(last.Memory);
            last = call.ResponseStream.Current.Blob;
        }
        return last.Span.SequenceEqual(hash.GetHashAndReset()) ? null : "the last message is not the SHA-256 of what came before";
    }

    static string Read(string file)
    {
        using var bolt = BoltFile.Open(file);
        var text = new StringBuilder($"buckets {string.Join(' ', bolt.Buckets)}\n");
        foreach (var bucket in Comparable)
        {
            foreach (var (key, value) in bolt.Read(bucket).Where(pair => !SaysNothing(bucket, pair)))
                text.Append(CultureInfo.InvariantCulture, $"{bucket} {Convert.ToHexString(key.Span)} {Readable(bucket, value)}\n");
        }
        foreach (var (key, value) in bolt.Read("meta").Where(pair => Encoding.ASCII.GetString(pair.Key.Span).EndsWith("CompactRev", StringComparison.Ordinal)))
            text.Append(CultureInfo.InvariantCulture, $"meta {Encoding.ASCII.GetString(key.Span)} {Convert.ToHexString(value.Span)}\n");
        return text.ToString();
    }

    /// <summary>That authentication is off etcd writes down only once it was on.</summary>
    static bool SaysNothing(string bucket, BackendPair pair) => bucket == "auth" && pair.Key.Span.SequenceEqual("authEnabled"u8) && pair.Value.Span is [0];

    static string Readable(string bucket, ReadOnlyMemory<byte> value)
    {
        if (bucket != "authUsers")
            return Convert.ToHexString(SHA256.HashData(value.Span)[..12]) + $" {value.Length} bytes";
        var user = User.Parser.ParseFrom(value.Span);
        user.Password = ByteString.Empty;
        return Canon.Text(user);
    }
}
