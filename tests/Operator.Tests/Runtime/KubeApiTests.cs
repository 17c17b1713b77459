using System.Net;
using k8s.Models;
using Operator.Controller;
using Xunit;

namespace Operator.Tests;

/// <summary>What is asked of the API server, and what is not.</summary>
public sealed class KubeApiTests
{
    /// <summary>A spec that was stored before its schema had a pattern may hold one.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a?watch=true")]
    public async Task A_name_that_no_object_can_have_is_not_found_and_not_asked_for(string name)
    {
        var server = new ScriptedServer();
        var answer = await server.Api.GetAsync<V1Secret>(new ObjectKey("shop", name), TestContext.Current.CancellationToken);
        Assert.Null(answer.Value);
        Assert.Equal((HttpStatusCode.NotFound, $"no Secret can have the name \"{name}\""), (answer.Error!.Status, answer.Error.Message));
        Assert.Empty(server.Seen);
    }
}
