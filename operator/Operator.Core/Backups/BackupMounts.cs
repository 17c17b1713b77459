using k8s.Models;

namespace Operator.Core;

/// <summary>A backup target and its key as a container sees them: flags of the store's commands, and the volumes that stand behind them.</summary>
/// <remarks>Secrets are optional to the kubelet: one that is missing must not keep a member from serving. The agent says what it lacks, and reads it when it comes.</remarks>
/// <param name="Name">What names of volumes begin with.</param>
sealed record BackupMounts(string Name, BackupTargetSpec Target, BackupKeyReference? Key)
{
    /// <summary>s3://bucket/prefix, or the folder where the volume is.</summary>
    public string Location => Target switch
    {
        { S3: { } bucket } => $"s3://{bucket.Bucket}{Below(bucket.Prefix)}",
        { Azure: { } container } => $"azblob://{container.Container}{Below(container.Prefix)}",
        _ => $"{Folder}/volume",
    };

    public IEnumerable<string> Arguments()
    {
        if (Target.S3 is { } bucket)
        {
            if (bucket.Endpoint is { } endpoint) yield return $"--s3-endpoint={endpoint}";
            if (bucket.Region is { } region) yield return $"--s3-region={region}";
            if (bucket.PathStyle) yield return "--s3-path-style";
            if (bucket.CredentialsSecret is not null) yield return $"--s3-credentials-dir={Folder}/credentials";
        }

        if (Target.Azure is { } container)
        {
            if (container.Account is { } account) yield return $"--azure-account={account}";
            if (container.Endpoint is { } endpoint) yield return $"--azure-endpoint={endpoint}";
            yield return $"--azure-credentials-dir={Folder}/credentials";
        }

        if (Key is { } key) yield return $"--encryption-key-file={Folder}/key/{key.Key}";
    }

    public IEnumerable<V1VolumeMount> Mounts()
    {
        if (Credentials is not null) yield return new V1VolumeMount { Name = $"{Name}-credentials", MountPath = $"{Folder}/credentials", ReadOnlyProperty = true };
        if (Target.Volume is not null) yield return new V1VolumeMount { Name = $"{Name}-volume", MountPath = $"{Folder}/volume" };
        if (Key is not null) yield return new V1VolumeMount { Name = $"{Name}-key", MountPath = $"{Folder}/key", ReadOnlyProperty = true };
    }

    public IEnumerable<V1Volume> Volumes()
    {
        if (Credentials is { } credentials) yield return Secret($"{Name}-credentials", credentials.Name);
        if (Target.Volume is { } volume)
            yield return new V1Volume { Name = $"{Name}-volume", PersistentVolumeClaim = new V1PersistentVolumeClaimVolumeSource { ClaimName = volume.ClaimName } };
        if (Key is { } key) yield return Secret($"{Name}-key", key.Name);
    }

    LocalReference? Credentials => Target.S3?.CredentialsSecret ?? Target.Azure?.CredentialsSecret;

    static string Below(string? prefix) => prefix is null ? "" : $"/{prefix}";

    string Folder => $"/etc/store/{Name}";

    /// <summary>0440: for the pod's group, which is the store's.</summary>
    internal static V1Volume Secret(string volume, string secret) =>
        new() { Name = volume, Secret = new V1SecretVolumeSource { SecretName = secret, DefaultMode = 288, Optional = true } };
}
