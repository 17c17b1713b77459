using System.Text.Json;
using Xunit;

namespace Store.Server.Tests;

public sealed class HealthBodyTests
{
    [Fact]
    public void A_healthy_member_answers_etcds_very_words() => Assert.Equal("""{"health":"true","reason":""}""", HealthChecks.HealthBody(null));

    [Theory]
    [InlineData("RAFT NO LEADER")]
    [InlineData("RANGE ERROR:cannot read \"/data/a\"")]
    [InlineData("first line\nC:\\second")]
    public void Any_reason_makes_one_readable_object(string reason)
    {
        using var body = JsonDocument.Parse(HealthChecks.HealthBody(reason));
        Assert.Equal("false", body.RootElement.GetProperty("health").GetString());
        Assert.Equal(reason, body.RootElement.GetProperty("reason").GetString());
    }
}
