using System.Diagnostics;

namespace LocalCluster;

/// <param name="CommandLine">What was run, for messages.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record ShellResult(string CommandLine, int ExitCode, string Output, string Error)
{
    public ShellResult Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException($"{CommandLine}: {this}");

    public override string ToString() => $"exit {ExitCode}\n{Output}{Error}";
}

/// <summary>Runs a program to its end, in the repository's root as a user would, and keeps what it said.</summary>
public static class Shell
{
    public static ShellResult Run(string program, params string[] arguments) =>
        RunAsync(program, arguments, null, TimeSpan.FromSeconds(120)).GetAwaiter().GetResult();

    /// <param name="environment">Added to the inherited environment.</param>
    /// <exception cref="TimeoutException">It did not end in time and was killed.</exception>
    public static async Task<ShellResult> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, TimeSpan timeout, string? input = null,
        CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Binaries.RepositoryRoot,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        var line = $"{program} {string.Join(' ', start.ArgumentList)}";
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{line} did not end in {timeout.TotalSeconds} s\n{await output}{await error}");
        }
        return new ShellResult(line, process.ExitCode, await output, await error);
    }
}
