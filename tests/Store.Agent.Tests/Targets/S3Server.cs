using Amazon.S3;
using Amazon.S3.Model;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>A bucket of its own on the real S3 server that `shared/s3/up` starts (S3_PORT, 17480 by default), for one test.</summary>
sealed class S3Server : IObjectServer
{
    readonly AmazonS3Client client;
    readonly DirectoryInfo credentials = Directory.CreateTempSubdirectory("s3-test-");

    S3Server(Uri url)
    {
        Url = url;
        client = new("test", "testsecret", new AmazonS3Config
        {
            ServiceURL = url.ToString(),
            ForcePathStyle = true,
            RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = Amazon.Runtime.ResponseChecksumValidation.WHEN_REQUIRED,
        });
        SetCredentials(areRight: true);
    }

    public Uri Url { get; }

    public string Bucket { get; } = $"backups-{Guid.NewGuid():N}";

    public string CredentialsFolder => credentials.FullName;

    /// <summary>Skips the test where no server is.</summary>
    public static async Task<S3Server> StartAsync(CancellationToken cancellationToken)
    {
        var url = new Uri($"http://127.0.0.1:{Environment.GetEnvironmentVariable("S3_PORT") ?? "17480"}");
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            await http.GetAsync(url, cancellationToken);
        }
        catch (HttpRequestException)
        {
            Assert.Skip($"no S3 server at {url}: start one with shared/s3/up");
        }
        var server = new S3Server(url);
        await server.client.PutBucketAsync(server.Bucket, cancellationToken);
        return server;
    }

    LocationOptions IObjectServer.Location(Uri? through) => Location(through);

    public LocationOptions.S3 Location(Uri? through = null) => new(Bucket, "orders")
    {
        Endpoint = through ?? Url,
        PathStyle = true,
        CredentialsFolder = CredentialsFolder,
        RequestMax = TimeSpan.FromSeconds(5),
    };

    public IBackupTarget OpenWithPagesOf(int objects) => new S3Target(Location(), objects);

    public LocationOptions Elsewhere => Location() with { Bucket = "no-such-bucket" };

    public string LocationFlag => $"s3://{Bucket}/orders";

    public IReadOnlyList<string> Flags(Uri through) => [$"--s3-endpoint={through}", "--s3-path-style", $"--s3-credentials-dir={CredentialsFolder}"];

    public Refusal NoMoreFits { get; } = new(403, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>QuotaExceeded</Code><Message>the quota of the bucket is used up</Message></Error>");

    public void SetCredentials(bool areRight)
    {
        File.WriteAllText(Path.Combine(CredentialsFolder, "access-key-id"), "test\n");
        File.WriteAllText(Path.Combine(CredentialsFolder, "secret-access-key"), areRight ? "testsecret\n" : "wrong\n");
    }

    public void RemoveCredentials() => File.Delete(Path.Combine(CredentialsFolder, "secret-access-key"));

    public async ValueTask DisposeAsync()
    {
        for (var page = new ListObjectsV2Response { IsTruncated = true }; page.IsTruncated is true;)
        {
            page = await client.ListObjectsV2Async(new() { BucketName = Bucket });
            foreach (var stored in page.S3Objects ?? []) await client.DeleteObjectAsync(Bucket, stored.Key);
        }
        await client.DeleteBucketAsync(Bucket);
        client.Dispose();
        credentials.Delete(recursive: true);
    }
}
