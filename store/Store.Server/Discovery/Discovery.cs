using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Store.Server;

/// <summary>Who the members of a new cluster are, where `--initial-cluster` does not say so.</summary>
static class Discovery
{
    /// <summary>In name order.</summary>
    /// <exception cref="BootException">It cannot be found out.</exception>
    public static Task<ImmutableArray<InitialMember>> FindAsync(ServerOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        // Without --initial-cluster a member knows of itself alone.
        var self = options.InitialCluster.Single();
        return options.Discovery switch
        {
            DiscoveryOptions.Service service => new DiscoveryService(service, self, InitialMembership.Of(options).Self, time, logger).FindAsync(cancellationToken),
            DiscoveryOptions.Srv srv => new SrvDiscovery(srv, self, SrvRecords.OfSystem()).FindAsync(cancellationToken),
            _ => throw new UnreachableException(),
        };
    }
}
