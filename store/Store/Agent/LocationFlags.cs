using Store.Agent;
using Store.Server;

namespace Store;

/// <summary>The flags that say how a location of backups is reached.</summary>
static class LocationFlags
{
    public static readonly IReadOnlyList<string> All = ["s3-endpoint", "s3-region", "s3-path-style", "s3-credentials-dir"];

    /// <summary>Those that may stand without a value.</summary>
    public static readonly IReadOnlyList<string> Booleans = ["s3-path-style"];

    /// <param name="name">The flag of the location itself.</param>
    public static LocationOptions Read(CommandArguments arguments, string name) => Parse(arguments, name) switch
    {
        LocationOptions.S3 bucket => bucket with
        {
            Endpoint = arguments.TextOrNull("s3-endpoint") is { } endpoint ? UrlOf(endpoint) : null,
            Region = arguments.TextOrNull("s3-region"),
            PathStyle = arguments.Has("s3-path-style"),
            CredentialsFolder = arguments.TextOrNull("s3-credentials-dir"),
        },
        var other when All.FirstOrDefault(arguments.Has) is { } stray => throw new FlagException($"--{stray} goes with a location s3://BUCKET/PREFIX, and --{name} is {arguments.Text(name)}"),
        var other => other,
    };

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

    static Uri UrlOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        ? url
        : throw new FlagException($"--s3-endpoint must be a URL such as https://minio.example:9000, not '{text}'");
}
