using System.Diagnostics;

namespace LocalCluster;

/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record ShellResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit {ExitCode}\n{Output}{Error}";
}

/// <summary>Runs a program to its end and keeps what it said.</summary>
public static class Shell
{
    public static ShellResult Run(string program, params string[] arguments) =>
        RunAsync(program, arguments, null, TimeSpan.FromSeconds(120)).GetAwaiter().GetResult();

    /// <param name="environment">Added to the inherited environment.</param>
    /// <exception cref="TimeoutException">It did not end in time and was killed.</exception>
    public static async Task<ShellResult> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, TimeSpan timeout, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(timeout);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end in {timeout.TotalSeconds} s\n{await output}{await error}");
        }
        return new ShellResult(process.ExitCode, await output, await error);
    }
}
