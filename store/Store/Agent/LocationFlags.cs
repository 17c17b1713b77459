using Store.Agent;
using Store.Server;

namespace Store;

/// <summary>The flags that say how a location of backups is reached.</summary>
static class LocationFlags
{
    static readonly string[] OfS3 = ["s3-endpoint", "s3-region", "s3-path-style", "s3-credentials-dir"];
    static readonly string[] OfAzure = ["azure-account", "azure-endpoint", "azure-credentials-dir"];

    public static readonly IReadOnlyList<string> All = [.. OfS3, .. OfAzure];

    /// <summary>Those that may stand without a value.</summary>
    public static readonly IReadOnlyList<string> Booleans = ["s3-path-style"];

    /// <param name="name">The flag of the location itself.</param>
    public static LocationOptions Read(CommandArguments arguments, string name)
    {
        var location = Parse(arguments, name);
        Refuse(arguments, name, location is LocationOptions.S3 ? [] : OfS3, "s3://BUCKET/PREFIX");
        Refuse(arguments, name, location is LocationOptions.Azure ? [] : OfAzure, "azblob://CONTAINER/PREFIX");
        return location switch
        {
            LocationOptions.S3 bucket => bucket with
            {
                Endpoint = UrlOrNull(arguments, "s3-endpoint", "https://minio.example:9000"),
                Region = arguments.TextOrNull("s3-region"),
                PathStyle = arguments.Has("s3-path-style"),
                CredentialsFolder = arguments.TextOrNull("s3-credentials-dir"),
            },
            LocationOptions.Azure container => container with
            {
                Account = arguments.TextOrNull("azure-account"),
                Endpoint = UrlOrNull(arguments, "azure-endpoint", "http://127.0.0.1:10000/devstoreaccount1"),
                CredentialsFolder = arguments.TextOrNull("azure-credentials-dir"),
            },
            var other => other,
        };
    }

    /// <summary>Flags of another kind of location would be ignored.</summary>
    static void Refuse(CommandArguments arguments, string name, string[] flags, string location)
    {
        if (flags.FirstOrDefault(arguments.Has) is { } stray) throw new FlagException($"--{stray} goes with a location {location}, and --{name} is {arguments.Text(name)}");
    }

    static LocationOptions Parse(CommandArguments arguments, string name)
    {
        try
        {
            return LocationOptions.Parse(arguments.Text(name));
        }
        catch (BackupException e)
        {
            throw new FlagException($"--{name}: {e.Message}");
        }
    }

    static Uri? UrlOrNull(CommandArguments arguments, string name, string example) =>
        arguments.TextOrNull(name) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
        : throw new FlagException($"--{name} must be a URL such as {example}, not '{text}'");
}
