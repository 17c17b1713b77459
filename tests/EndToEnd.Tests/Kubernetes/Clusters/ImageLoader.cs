using System.Globalization;
using System.Net;
using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>Takes image archives from <c>make demo</c> for a cluster that only this process can load them into: LOAD_IMAGE becomes a curl that uploads them here.</summary>
sealed class ImageLoader : IAsyncDisposable
{
    readonly HttpListener listener = new();
    readonly CancellationTokenSource stop = new();
    readonly Func<string, CancellationToken, Task> load;
    readonly Task serving;

    ImageLoader(Func<string, CancellationToken, Task> load)
    {
        this.load = load;
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Take()}/");
        Command = $"curl --fail-with-body --silent --show-error {url} --upload-file";
        listener.Prefixes.Add(url);
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>For LOAD_IMAGE: a path is appended to it.</summary>
    public string Command { get; }

    /// <param name="load">Gets the path of an archive, which is gone afterwards.</param>
    public static ImageLoader Start(Func<string, CancellationToken, Task> load) => new(load);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Close();
        await serving;
        stop.Dispose();
    }

    async Task ServeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            HttpListenerContext request;
            try
            {
                request = await listener.GetContextAsync();
            }
            catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            await AnswerAsync(request);
        }
    }

    async Task AnswerAsync(HttpListenerContext request)
    {
        var archive = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.tar");
        var said = "loaded\n";
        try
        {
            await using (var file = File.Create(archive)) await request.Request.InputStream.CopyToAsync(file, stop.Token);
            await load(archive, stop.Token);
        }
        catch (Exception failure)
        {
            (request.Response.StatusCode, said) = ((int)HttpStatusCode.InternalServerError, failure.Message + "\n");
        }
        finally
        {
            File.Delete(archive);
        }
        await using var answer = new StreamWriter(request.Response.OutputStream);
        await answer.WriteAsync(said);
    }
}
