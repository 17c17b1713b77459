using System.Net;
using System.Xml;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Store.Agent;

/// <summary>A container of Azure's blob service, or of a server that speaks like it. A manifest is put with If-None-Match, which the service keeps to the letter.</summary>
public sealed class AzureTarget : IBackupTarget
{
    readonly LocationOptions.Azure options;
    readonly int pageMax;
    readonly AzureAccess access;
    readonly RepeatedRequests requests;

    /// <param name="pageMax">How many objects one answer lists.</param>
    public AzureTarget(LocationOptions.Azure options, int pageMax = 5000)
    {
        this.options = options;
        this.pageMax = pageMax;
        access = new(options);
        requests = new(Location, options.RequestMax, FailureOf);
    }

    public string Location => $"azblob://{options.Container}/{options.Prefix}";

    public Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        await Blob(name).UploadAsync(BinaryData.FromBytes(content), new BlobUploadOptions(), limit);
        return true;
    }, cancellationToken);

    public Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        try
        {
            await Blob(name).UploadAsync(BinaryData.FromBytes(content), new BlobUploadOptions { Conditions = new() { IfNoneMatch = ETag.All } }, limit);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
            return false;
        }
    }, cancellationToken);

    public Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        try
        {
            using var answer = (await Blob(name).DownloadStreamingAsync(cancellationToken: limit)).Value;
            return await RepeatedRequests.BodyAsync(answer.Content, answer.Details.ContentLength, limit);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }, cancellationToken);

    public async Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        List<StoredObject> found = [];
        for (string? next = null; ;)
        {
            var page = await requests.RunAsync(limit => PageAsync(options.KeyOf(prefix), next, limit), cancellationToken);
            foreach (var blob in page.Values)
                found.Add(new(blob.Name[options.KeyOf("").Length..], blob.Properties.ContentLength ?? 0, blob.Properties.LastModified ?? DateTimeOffset.MinValue));
            next = page.ContinuationToken;
            if (string.IsNullOrEmpty(next)) return found;
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => requests.RunAsync(async limit =>
    {
        await Blob(name).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: limit);
        return true;
    }, cancellationToken);

    public void Dispose()
    {
    }

    async Task<Page<BlobItem>> PageAsync(string prefix, string? from, CancellationToken limit)
    {
        await using var pages = access.Container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, limit).AsPages(from, pageMax).GetAsyncEnumerator(limit);
        return await pages.MoveNextAsync() ? pages.Current : throw new IOException("the list of blobs came without a page");
    }

    BlobClient Blob(string name) => access.Container.GetBlobClient(options.KeyOf(name));

    /// <summary>The client's message is a page of headers: its first line says it all.</summary>
    static (BackupFailure, string)? FailureOf(Exception e) => e switch
    {
        RequestFailedException { ErrorCode.Length: > 0 } answer => (KindOf(answer), $"{answer.ErrorCode} ({answer.Status}): {FirstLine(answer)}"),
        RequestFailedException { Status: not 0 } answer => (KindOf(answer), $"the service answered with status {answer.Status}"),
        RequestFailedException or AggregateException => (BackupFailure.Unreachable, FirstLine(e)),
        // Something between that answers for the service, or an answer that was cut off.
        XmlException => (BackupFailure.Unreachable, $"the answer is not one of the service: {e.Message}"),
        _ => null,
    };

    static string FirstLine(Exception e) => e.Message.Split('\n')[0].TrimEnd();

    static BackupFailure KindOf(RequestFailedException answer) =>
        answer.Status is (int)HttpStatusCode.InsufficientStorage or (int)HttpStatusCode.RequestEntityTooLarge ? BackupFailure.Full
        : answer.Status is (int)HttpStatusCode.Forbidden or (int)HttpStatusCode.Unauthorized ? BackupFailure.Denied
        : answer.ErrorCode == BlobErrorCode.ContainerNotFound ? BackupFailure.Misconfigured
        : BackupFailure.Unreachable;
}
