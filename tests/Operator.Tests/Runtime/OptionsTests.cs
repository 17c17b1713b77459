using Operator.Controller;
using Xunit;

namespace Operator.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Flags_are_read()
    {
        var (options, error) = Parse("--default-image=a/b:1", "--watch-namespaces=x, y", "--leader-elect=false", "--workers=2");
        Assert.Null(error);
        Assert.Equal(["x", "y"], options!.WatchNamespaces);
        Assert.Equal(("a/b:1", false, 2), (options.DefaultImage, options.LeaderElect, options.Workers));
    }

    [Theory]
    [InlineData("--default-image is missing")]
    [InlineData("is no flag of store-operator", "--default-image=a", "--worker=2")]
    [InlineData("--workers cannot be \"none\"", "--default-image=a", "--workers=none")]
    [InlineData("flags are written --name=value", "--default-image", "a")]
    public void A_wrong_flag_is_one_clear_line(string expected, params string[] args)
    {
        var (options, error) = Parse(args);
        Assert.Null(options);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error!);
    }

    static (OperatorOptions? Options, string? Error) Parse(params string[] args) => OperatorOptions.Parse(args, _ => null);
}
