using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace Store.Agent;

/// <summary>
/// A client for a container with the credentials of this moment: they are read anew for each request, so that replaced ones need no restart, and a client is only made
/// anew when they have changed.
/// </summary>
sealed class AzureAccess(LocationOptions.Azure options)
{
    readonly Lock gate = new();
    (Credentials Of, BlobContainerClient Client)? last;

    /// <exception cref="BackupException">The credentials do not suffice.</exception>
    public BlobContainerClient Container
    {
        get
        {
            var now = new Credentials(Read("connection-string"), options.Account ?? Read("account-name"), Read("account-key"), Read("sas-token"));
            lock (gate)
            {
                if (last is not { } known || known.Of != now) last = (now, Open(now));
                return last.Value.Client;
            }
        }
    }

    BlobContainerClient Open(Credentials credentials)
    {
        // A version that emulators and Azure's other clouds know, too. Requests are repeated by RepeatedRequests, where the body of an answer is part of it.
        var client = new BlobClientOptions(BlobClientOptions.ServiceVersion.V2023_11_03) { Retry = { MaxRetries = 0, NetworkTimeout = options.RequestMax } };
        try
        {
            return credentials switch
            {
                { ConnectionString: not null } when options is { Endpoint: not null } or { Account: not null } =>
                    throw Wrong("a connection string names its account and its endpoint; leave --azure-account and --azure-endpoint out"),
                { ConnectionString: { } text } => new(text, options.Container, client),
                { AccountKey: { } key, AccountName: { } account } => new(UriOf(account), new StorageSharedKeyCredential(account, key), client),
                { AccountKey: not null } => throw Wrong("an account key needs the account's name; give --azure-account"),
                { SasToken: { } token } when credentials.AccountName is not null || options.Endpoint is not null => new(UriOf(credentials.AccountName), new AzureSasCredential(token), client),
                { SasToken: not null } => throw Wrong("a shared access signature needs the account's name; give --azure-account"),
                _ => throw Wrong($"there are no credentials; give {Where("connection-string")}, {Where("account-key")} or {Where("sas-token")}"),
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw Wrong($"the credentials cannot be used: {e.Message}", e);
        }
    }

    Uri UriOf(string? account) => new($"{options.Endpoint?.ToString().TrimEnd('/') ?? $"https://{account}.blob.core.windows.net"}/{options.Container}");

    /// <summary>Null when it is not there.</summary>
    string? Read(string name)
    {
        if (options.CredentialsFolder is null) return Environment.GetEnvironmentVariable(VariableOf(name)) is { Length: > 0 } value ? value : null;
        var path = Path.Combine(options.CredentialsFolder, name);
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"{path}: credentials cannot be read: {e.Message}", e);
        }
    }

    /// <summary>As Azure's command line calls them.</summary>
    static string VariableOf(string name) => name switch
    {
        "connection-string" => "AZURE_STORAGE_CONNECTION_STRING",
        "account-name" => "AZURE_STORAGE_ACCOUNT",
        "account-key" => "AZURE_STORAGE_KEY",
        "sas-token" => "AZURE_STORAGE_SAS_TOKEN",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    string Where(string name) => options.CredentialsFolder is { } folder ? Path.Combine(folder, name) : VariableOf(name);

    static BackupException Wrong(string message, Exception? inner = null) => new(BackupFailure.Misconfigured, message, inner);

    sealed record Credentials(string? ConnectionString, string? AccountName, string? AccountKey, string? SasToken);
}
