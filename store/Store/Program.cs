using Store;
using Store.Server;

if (args is ["snapshot", .. var rest]) return SnapshotCommand.Run(rest, Console.Out, Console.Error);
if (args is ["agent", .. var ofAgent]) return await AgentCommand.RunAsync(ofAgent);

switch (CommandLine.Parse(args, Environment.GetEnvironmentVariable))
{
    case CommandLine.Serve serve:
        return await StoreProcess.RunAsync(serve.Options);
    case CommandLine.Print print:
        Console.WriteLine(print.Text);
        return 0;
    case CommandLine.Wrong wrong:
        Console.Error.WriteLine("store: " + wrong.Message);
        return 1;
    default:
        throw new System.Diagnostics.UnreachableException();
}
