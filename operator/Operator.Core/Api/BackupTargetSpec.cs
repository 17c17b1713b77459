using System.Text.Json.Serialization;

namespace Operator.Core;

/// <summary>Where backups are kept, for whoever writes them and whoever restores from them.</summary>
[Cel("(has(self.s3) ? 1 : 0) + (has(self.azure) ? 1 : 0) + (has(self.volume) ? 1 : 0) == 1", "a backup target is one of s3, azure and volume")]
public sealed record BackupTargetSpec
{
    [JsonPropertyName("s3")]
    [Doc("A bucket of S3, or of a server that speaks like it.")]
    public S3TargetSpec? S3 { get; init; }

    [JsonPropertyName("azure")]
    [Doc("A container of Azure Blob Storage.")]
    public AzureTargetSpec? Azure { get; init; }

    [JsonPropertyName("volume")]
    [Doc("A volume that every member mounts.")]
    public VolumeTargetSpec? Volume { get; init; }
}

public sealed record S3TargetSpec
{
    [JsonPropertyName("bucket")]
    [Doc("Name of the bucket. It has to be there.")]
    [Pattern("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", MaxLength = 63)]
    public required string Bucket { get; init; }

    [JsonPropertyName("prefix")]
    [Doc("What names of objects begin with, such as backups/payments.")]
    [Pattern(Patterns.ObjectPrefix, MaxLength = 512)]
    public string? Prefix { get; init; }

    [JsonPropertyName("endpoint")]
    [Doc("URL of the server, such as http://minio.example:9000; Amazon's own when absent.")]
    [Pattern("^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$", MaxLength = 253)]
    public string? Endpoint { get; init; }

    [JsonPropertyName("region")]
    [Doc("Region of the bucket; us-east-1 when absent.")]
    [Pattern("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", MaxLength = 63)]
    public string? Region { get; init; }

    [JsonPropertyName("pathStyle")]
    [Doc("The bucket in the path and not in the host's name, as most servers other than Amazon's want it.")]
    [Default(false)]
    public bool PathStyle { get; init; }

    [JsonPropertyName("credentialsSecret")]
    [Doc("The Secret, in the same namespace, with access-key-id, secret-access-key and perhaps session-token. When it changes, so do the credentials, without a restart. What Amazon's tools would take when absent.")]
    public LocalReference? CredentialsSecret { get; init; }
}

public sealed record AzureTargetSpec
{
    [JsonPropertyName("container")]
    [Doc("Name of the container. It has to be there.")]
    [Pattern("^[a-z0-9](-?[a-z0-9])*$", MaxLength = 63)]
    public required string Container { get; init; }

    [JsonPropertyName("prefix")]
    [Doc("What names of objects begin with, such as backups/payments.")]
    [Pattern(Patterns.ObjectPrefix, MaxLength = 512)]
    public string? Prefix { get; init; }

    [JsonPropertyName("account")]
    [Doc("The storage account, unless the credentials name it.")]
    [Pattern("^[a-z0-9]+$", MaxLength = 24)]
    public string? Account { get; init; }

    [JsonPropertyName("endpoint")]
    [Doc("URL of the account's blob service, for emulators and other clouds; https://ACCOUNT.blob.core.windows.net when absent.")]
    [Pattern("^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9]+)?$", MaxLength = 253)]
    public string? Endpoint { get; init; }

    [JsonPropertyName("credentialsSecret")]
    [Doc("The Secret, in the same namespace, with connection-string, account-key or sas-token, and perhaps account-name. When it changes, so do the credentials, without a restart.")]
    public required LocalReference CredentialsSecret { get; init; }
}

public sealed record VolumeTargetSpec
{
    [JsonPropertyName("claimName")]
    [Doc("A volume claim in the same namespace, ReadWriteMany where members are on several nodes.")]
    [Pattern(Patterns.ObjectName, MaxLength = 253)]
    public required string ClaimName { get; init; }
}
