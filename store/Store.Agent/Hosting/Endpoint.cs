using Microsoft.AspNetCore.Builder;

namespace Store.Agent;

/// <summary>Where the agent listens.</summary>
static class Endpoint
{
    /// <param name="flag">What the address was given with.</param>
    /// <exception cref="BackupException">It is taken, or is none of this machine's.</exception>
    public static async Task<WebApplication> ListenAsync(WebApplication application, string flag, Uri url)
    {
        try
        {
            await application.StartAsync();
            return application;
        }
        catch (IOException e)
        {
            throw new BackupException(BackupFailure.Misconfigured, $"--{flag}: {url} cannot be listened on: {e.Message}", e);
        }
    }
}
