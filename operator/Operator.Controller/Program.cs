using Operator.Controller;

switch (args)
{
    case ["crds", .. var folders]:
        return CrdFiles.Write(folders);
    case ["version"] or ["--version"]:
        Console.WriteLine($"store-operator {typeof(OperatorOptions).Assembly.GetName().Version!.ToString(3)}");
        return 0;
    case ["--help"] or ["help"]:
        Console.WriteLine(OperatorOptions.Usage);
        return 0;
}

var (options, error) = OperatorOptions.Parse(args, Environment.GetEnvironmentVariable);
if (options is null)
{
    Console.Error.WriteLine(error);
    return 2;
}

return await OperatorHost.RunAsync(options);
