using System.Collections.Immutable;

namespace Store.Server;

/// <summary>The flags of plain HTTP: gateway, origins, host names.</summary>
static class HttpFlags
{
    public static HttpOptions Read(FlagValues flags) => new()
    {
        Gateway = flags.Boolean("enable-grpc-gateway"),
        Origins = Split(flags.Text("cors")),
        Hosts = Split(flags.Text("host-whitelist")),
    };

    static ImmutableArray<string> Split(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}
