using System.Diagnostics;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using LocalCluster;
using Xunit;

[assembly: AssemblyFixture(typeof(Store.Agent.Tests.Azurite))]

namespace Store.Agent.Tests;

/// <summary>Microsoft's own emulator of Azure's storage, as a process: installed and started for the first test that asks for it, ended with the last.</summary>
public sealed class Azurite : IAsyncDisposable
{
    /// <summary>The account that every Azurite has, with its well-known key.</summary>
    public const string Account = "devstoreaccount1";
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    readonly SemaphoreSlim gate = new(1);
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("azurite-");
    Process? process;
    Uri? url;

    /// <summary>Where it listens.</summary>
    public async Task<Uri> StartAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            return url ??= await RunAsync(await InstallAsync(cancellationToken), cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    async Task<Uri> RunAsync(string program, CancellationToken cancellationToken)
    {
        var port = Ports.Take();
        process = Process.Start(new ProcessStartInfo("node", [program, $"--blobPort={port}", "--inMemoryPersistence", "--disableTelemetry", "--silent"])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
        })!;
        // It says that it listens; then the pipe is drained, or it would stand still once that is full.
        for (var line = ""; !line.Contains("successfully listen", StringComparison.Ordinal);)
            line = await process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"Azurite ended before it listened on port {port}");
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        return new($"http://127.0.0.1:{port}");
    }

    /// <summary>The packages that its lock file names, outside the sources, unless they are there.</summary>
    static async Task<string> InstallAsync(CancellationToken cancellationToken)
    {
        var sources = Path.Combine(Binaries.RepositoryRoot, "tests/Store.Agent.Tests/Targets/azurite");
        var folder = Directory.CreateDirectory(Path.Combine(Binaries.RepositoryRoot, "out/azurite")).FullName;
        var (wanted, installed) = (await File.ReadAllTextAsync(Path.Combine(sources, "package-lock.json"), cancellationToken), Path.Combine(folder, "installed"));
        if (!File.Exists(installed) || await File.ReadAllTextAsync(installed, cancellationToken) != wanted)
        {
            File.Delete(installed);
            foreach (var file in Directory.GetFiles(sources)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
            (await Shell.RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder], null, TimeSpan.FromMinutes(3), cancellationToken: cancellationToken)).Succeeded();
            await File.WriteAllTextAsync(installed, wanted, cancellationToken);
        }
        return Path.Combine(folder, "node_modules/azurite/dist/src/blob/main.js");
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        gate.Dispose();
        folder.Delete(recursive: true);
    }
}

/// <summary>A container of its own in Azurite, for one test.</summary>
sealed class AzureServer : IObjectServer
{
    readonly BlobContainerClient container;
    readonly DirectoryInfo credentials = Directory.CreateTempSubdirectory("azure-test-");

    AzureServer(Uri url)
    {
        Url = url;
        container = new(new($"{url}{Azurite.Account}/{Container}"), new StorageSharedKeyCredential(Azurite.Account, Azurite.Key), new(BlobClientOptions.ServiceVersion.V2023_11_03));
        SetCredentials(areRight: true);
    }

    public Uri Url { get; }

    public string Container { get; } = $"backups-{Guid.NewGuid():N}";

    public string CredentialsFolder => credentials.FullName;

    public static async Task<AzureServer> StartAsync(Azurite azurite, CancellationToken cancellationToken)
    {
        var server = new AzureServer(await azurite.StartAsync(cancellationToken));
        await server.container.CreateAsync(cancellationToken: cancellationToken);
        return server;
    }

    LocationOptions IObjectServer.Location(Uri? through) => Location(through);

    public LocationOptions.Azure Location(Uri? through = null) => new(Container, "orders")
    {
        Account = Azurite.Account,
        Endpoint = new($"{through ?? Url}{Azurite.Account}"),
        CredentialsFolder = CredentialsFolder,
        RequestMax = TimeSpan.FromSeconds(5),
    };

    public IBackupTarget OpenWithPagesOf(int objects) => new AzureTarget(Location(), objects);

    public LocationOptions Elsewhere => Location() with { Container = "no-such-container" };

    public IReadOnlyList<string> Flags(Uri through) =>
        [$"--azure-account={Azurite.Account}", $"--azure-endpoint={through}{Azurite.Account}", $"--azure-credentials-dir={CredentialsFolder}"];

    public string LocationFlag => $"azblob://{Container}/orders";

    public Refusal NoMoreFits { get; } = new(507, "");

    public void SetCredentials(bool areRight) => Write("account-key", areRight ? Azurite.Key : Convert.ToBase64String(new byte[64]));

    public void RemoveCredentials() => File.Delete(Path.Combine(CredentialsFolder, "account-key"));

    /// <summary>Instead of the account's key.</summary>
    public void SetOther(string name, string content)
    {
        RemoveCredentials();
        Write(name, content);
    }

    /// <summary>Of an hour, for everything in the container, or only to read.</summary>
    public string Signature(bool onlyReading = false)
    {
        var permissions = onlyReading ? BlobContainerSasPermissions.Read | BlobContainerSasPermissions.List : BlobContainerSasPermissions.All;
        return container.GenerateSasUri(permissions, DateTimeOffset.UtcNow.AddHours(1)).Query;
    }

    void Write(string name, string content) => File.WriteAllText(Path.Combine(CredentialsFolder, name), content + "\n");

    public async ValueTask DisposeAsync()
    {
        await container.DeleteIfExistsAsync();
        credentials.Delete(recursive: true);
    }
}
