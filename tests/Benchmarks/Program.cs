using Benchmarks;

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine(args is ["--help" or "-h"] ? Options.Usage : $"{e.Message}\n\n{Options.Usage}");
    return args is ["--help" or "-h"] ? 0 : 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};

var results = new List<Measurement>();
try
{
    foreach (var size in options.Members)
        await new Contest(options, size, results).RunAsync(stop.Token);
}
catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
{
    // A missing program, a server that ended or stalled, or Ctrl-C: what was measured until then is still worth reading.
    Console.WriteLine(Tables.Render(results));
    Console.Error.WriteLine(e.Message);
    return 1;
}
Console.WriteLine(Tables.Render(results));
Console.WriteLine(Goals.Render(results));
return 0;
