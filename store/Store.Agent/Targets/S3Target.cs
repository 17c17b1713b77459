using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Store.Agent;

/// <summary>
/// A bucket of S3, or of a server that speaks like it. Every request has an end, is repeated a few times when it may help, and then fails: the loop comes back later.
/// </summary>
/// <remarks>
/// Other servers than Amazon's often refuse the checksums that its client adds by itself, so they are left out there; the agent has its own. A manifest is put with
/// If-None-Match. A server that does not know it overwrites, which does no harm: names are never used twice.
/// </remarks>
public sealed class S3Target : IBackupTarget
{
    const int Attempts = 4;
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    readonly LocationOptions.S3 options;
    readonly AmazonS3Client client;

    public S3Target(LocationOptions.S3 options)
    {
        this.options = options;
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

    public Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => TryAsync(async limit =>
    {
        await client.PutObjectAsync(Put(name, content), limit);
        return true;
    }, cancellationToken);

    public Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => TryAsync(async limit =>
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

    public Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => TryAsync(async limit =>
    {
        try
        {
            using var answer = await client.GetObjectAsync(options.Bucket, KeyOf(name), limit);
            using var content = new MemoryStream((int)Math.Max(0, answer.ContentLength));
            await answer.ResponseStream.CopyToAsync(content, limit);
            // A body that was cut off is an answer that did not come, not a damaged object.
            return content.Length == answer.ContentLength ? content.ToArray() : throw new IOException($"the answer ended after {content.Length} of {answer.ContentLength} bytes");
        }
        catch (AmazonS3Exception e) when (e is { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" })
        {
            return default(byte[]);
        }
    }, cancellationToken);

    public async Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        List<StoredObject> found = [];
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = KeyOf(prefix) };
        while (true)
        {
            var page = await TryAsync(limit => client.ListObjectsV2Async(request, limit), cancellationToken);
            foreach (var stored in page.S3Objects ?? [])
                found.Add(new(stored.Key[KeyOf("").Length..], stored.Size ?? 0, new(stored.LastModified?.ToUniversalTime() ?? DateTime.MinValue, TimeSpan.Zero)));
            if (page.IsTruncated is not true) return found;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => TryAsync(async limit =>
    {
        await client.DeleteObjectAsync(options.Bucket, KeyOf(name), limit);
        return true;
    }, cancellationToken);

    public void Dispose() => client.Dispose();

    string KeyOf(string name) => options.Prefix.Length == 0 ? name : $"{options.Prefix}/{name}";

    PutObjectRequest Put(string name, ReadOnlyMemory<byte> content) => new()
    {
        BucketName = options.Bucket,
        Key = KeyOf(name),
        InputStream = new MemoryStream(content.ToArray(), writable: false),
        UseChunkEncoding = false,
    };

    /// <param name="operation">Given the end of its time.</param>
    async Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(options.RequestMax);
            try
            {
                return await operation(limit.Token);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is AmazonClientException or AmazonServiceException or HttpRequestException or IOException or OperationCanceledException)
            {
                var failure = FailureOf(e);
                if (failure != BackupFailure.Unreachable || attempt == Attempts) throw new BackupException(failure, $"{Location}: {Describe(e)}", e);
            }
            await Task.Delay(FirstPause * Math.Pow(2, attempt - 1) * (1 + Random.Shared.NextDouble() / 4), cancellationToken);
        }
    }

    /// <summary>A server may refuse by quota with the status of a permission that is missing.</summary>
    static BackupFailure FailureOf(Exception e) => e is not AmazonServiceException answer ? BackupFailure.Unreachable : answer switch
    {
        { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" or "XMinioAdminBucketQuotaExceeded" } or { StatusCode: HttpStatusCode.InsufficientStorage } => BackupFailure.Full,
        { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => BackupFailure.Denied,
        { ErrorCode: "NoSuchBucket" } => BackupFailure.Misconfigured,
        _ => BackupFailure.Unreachable,
    };

    string Describe(Exception e) => e switch
    {
        OperationCanceledException => $"no answer within {options.RequestMax.TotalSeconds} s",
        AmazonServiceException answer when answer.ErrorCode is { Length: > 0 } => $"{answer.ErrorCode} ({(int)answer.StatusCode}): {answer.Message}",
        _ => e.Message,
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
