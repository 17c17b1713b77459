using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Store.Agent;

/// <summary>
/// A bucket of S3, or of a server that speaks like it.
/// </summary>
/// <remarks>
/// Other servers than Amazon's often refuse the checksums that its client adds by itself, so they are left out there; the agent has its own. A manifest is put with
/// If-None-Match. A server that does not know it overwrites, which does no harm: names are never used twice.
/// </remarks>
public sealed class S3Target : IBackupTarget
{
    readonly LocationOptions.S3 options;
    readonly int pageMax;
    readonly AmazonS3Client client;
    readonly RepeatedRequests requests;

    /// <param name="pageMax">How many objects one answer lists.</param>
    public S3Target(LocationOptions.S3 options, int pageMax = 1000)
    {
        this.options = options;
        this.pageMax = pageMax;
        requests = new(Location, options.RequestMax, FailureOf);
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle,
            Timeout = options.RequestMax,
            // Repeated here, where the body of an answer is part of it.
            MaxErrorRetry = 0,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = options.Region ?? "us-east-1";
            config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
            config.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region ?? "us-east-1");
        }
        client = options.CredentialsFolder is { } folder ? new(new MountedCredentials(folder), config) : new(config);
    }

    public string Location => $"s3://{options.Bucket}/{options.Prefix}";

    public Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        await client.PutObjectAsync(Put(name, content), limit);
        return true;
    }, cancellationToken);

    public Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        try
        {
            var put = Put(name, content);
            put.IfNoneMatch = "*";
            await client.PutObjectAsync(put, limit);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return false;
        }
    }, cancellationToken);

    public Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        try
        {
            using var answer = await client.GetObjectAsync(options.Bucket, options.KeyOf(name), limit);
            return await RepeatedRequests.BodyAsync(answer.ResponseStream, answer.ContentLength, limit);
        }
        catch (AmazonS3Exception e) when (e is { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" })
        {
            return null;
        }
    }, cancellationToken);

    public async Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        List<StoredObject> found = [];
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = options.KeyOf(prefix), MaxKeys = pageMax };
        while (true)
        {
            var page = await requests.RunAsync(limit => client.ListObjectsV2Async(request, limit), cancellationToken);
            foreach (var stored in page.S3Objects ?? [])
                found.Add(new(stored.Key[options.KeyOf("").Length..], stored.Size ?? 0, new(stored.LastModified?.ToUniversalTime() ?? DateTime.MinValue, TimeSpan.Zero)));
            if (page.IsTruncated is not true) return found;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        await client.DeleteObjectAsync(options.Bucket, options.KeyOf(name), limit);
        return true;
    }, cancellationToken);

    public void Dispose() => client.Dispose();

    PutObjectRequest Put(string name, ReadOnlyMemory<byte> content) => new()
    {
        BucketName = options.Bucket,
        Key = options.KeyOf(name),
        InputStream = new MemoryStream(content.ToArray(), writable: false),
        UseChunkEncoding = false,
    };

    static (BackupFailure, string)? FailureOf(Exception e) => e switch
    {
        AmazonServiceException { ErrorCode.Length: > 0 } answer => (KindOf(answer), $"{answer.ErrorCode} ({(int)answer.StatusCode}): {answer.Message}"),
        AmazonServiceException answer => (KindOf(answer), answer.Message),
        AmazonClientException => (BackupFailure.Unreachable, e.Message),
        _ => null,
    };

    /// <summary>A server may refuse by quota with the status of a permission that is missing.</summary>
    static BackupFailure KindOf(AmazonServiceException answer) => answer switch
    {
        { ErrorCode: "QuotaExceeded" or "EntityTooLarge" or "XMinioStorageFull" or "XMinioAdminBucketQuotaExceeded" } or { StatusCode: HttpStatusCode.InsufficientStorage } => BackupFailure.Full,
        { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => BackupFailure.Denied,
        { ErrorCode: "NoSuchBucket" } => BackupFailure.Misconfigured,
        _ => BackupFailure.Unreachable,
    };

    /// <summary>The keys of a mounted secret, read anew for each request: when they are replaced, no restart is needed.</summary>
    sealed class MountedCredentials(string folder) : AWSCredentials
    {
        public override ImmutableCredentials GetCredentials() => new(Read("access-key-id")!, Read("secret-access-key")!, Read("session-token", orNull: true));

        string? Read(string name, bool orNull = false)
        {
            var path = Path.Combine(folder, name);
            if (orNull && !File.Exists(path)) return null;
            try
            {
                return File.ReadAllText(path).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new BackupException(BackupFailure.Misconfigured, $"{path}: credentials cannot be read: {e.Message}; the folder needs access-key-id and secret-access-key", e);
            }
        }
    }
}
