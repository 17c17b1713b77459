namespace Store.Agent.Tests;

/// <summary>A real server of objects with a place of its own for one test.</summary>
interface IObjectServer : IAsyncDisposable
{
    Uri Url { get; }

    /// <param name="through">A proxy; null is the server itself.</param>
    LocationOptions Location(Uri? through = null);

    IBackupTarget OpenWithPagesOf(int objects);

    /// <summary>A place that is not there.</summary>
    LocationOptions Elsewhere { get; }

    /// <summary>What the agent is told, through a proxy.</summary>
    string LocationFlag { get; }

    IReadOnlyList<string> Flags(Uri through);

    /// <summary>How such a server says that no more fits.</summary>
    Refusal NoMoreFits { get; }

    void SetCredentials(bool areRight);

    void RemoveCredentials();
}
