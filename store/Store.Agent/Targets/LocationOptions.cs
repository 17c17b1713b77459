namespace Store.Agent;

/// <summary>Where backups are kept, and how it is reached.</summary>
public abstract record LocationOptions
{
    LocationOptions() { }

    public sealed record Folder(string Path) : LocationOptions;

    /// <summary>A server across a network that keeps objects under names.</summary>
    /// <param name="Prefix">Before every name; without slashes at its ends, empty for none.</param>
    public abstract record Server(string Prefix) : LocationOptions
    {
        /// <summary>Null where it follows from the rest.</summary>
        public Uri? Endpoint { get; init; }

        /// <summary>With a file for each secret, as one of Kubernetes is mounted; null takes what the server's own tools would.</summary>
        public string? CredentialsFolder { get; init; }

        /// <summary>For one request with its body: 16 MiB should fit through.</summary>
        public TimeSpan RequestMax { get; init; } = TimeSpan.FromSeconds(60);

        public string KeyOf(string name) => Prefix.Length == 0 ? name : $"{Prefix}/{name}";
    }

    /// <summary>Endpoint: null is Amazon's own. Credentials: access-key-id, secret-access-key and perhaps session-token.</summary>
    public sealed record S3(string Bucket, string Prefix) : Server(Prefix)
    {
        public string? Region { get; init; }

        /// <summary>The bucket in the path and not in the host's name, as most other servers want it.</summary>
        public bool PathStyle { get; init; }
    }

    /// <summary>
    /// Endpoint: of the account's blob service, for emulators and other clouds; null is https://ACCOUNT.blob.core.windows.net, or what a connection string says.
    /// Credentials: connection-string, account-key or sas-token, and perhaps account-name.
    /// </summary>
    public sealed record Azure(string Container, string Prefix) : Server(Prefix)
    {
        /// <summary>Null where the credentials name it.</summary>
        public string? Account { get; init; }
    }

    /// <exception cref="BackupException">It does not fit together.</exception>
    public IBackupTarget Open() => this switch
    {
        Folder(var path) => new DirectoryTarget(path),
        S3 bucket => new S3Target(bucket),
        Azure container => new AzureTarget(container),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <param name="location">"s3://bucket/prefix", "azblob://container/prefix", "file:///backups" or a folder's path.</param>
    public static LocationOptions Parse(string location)
    {
        if (!location.Contains("://", StringComparison.Ordinal)) return new Folder(Path.GetFullPath(location));
        if (!Uri.TryCreate(location, UriKind.Absolute, out var uri)) throw Wrong(location);
        return uri.Scheme switch
        {
            "file" when uri.Host.Length == 0 => new Folder(uri.LocalPath),
            "s3" when uri.Host.Length > 0 && uri.Query.Length == 0 => new S3(uri.Host, uri.AbsolutePath.Trim('/')),
            "azblob" when uri.Host.Length > 0 && uri.Query.Length == 0 => new Azure(uri.Host, uri.AbsolutePath.Trim('/')),
            _ => throw Wrong(location),
        };
    }

    static BackupException Wrong(string location) =>
        new(BackupFailure.Misconfigured, $"'{location}' is no location for backups; give a folder's path, s3://BUCKET/PREFIX or azblob://CONTAINER/PREFIX");
}
