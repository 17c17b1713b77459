using Store.Protocol.Etcdserverpb;
using Xunit;

namespace Store.Server.Tests;

public sealed class StatusErrorTests
{
    /// <summary>Tools look for these texts in Status.errors.</summary>
    [Theory]
    [InlineData(7, AlarmType.Nospace, "memberID:7 alarm:NOSPACE ")]
    [InlineData(ulong.MaxValue, AlarmType.Corrupt, "memberID:18446744073709551615 alarm:CORRUPT ")]
    [InlineData(0, AlarmType.Nospace, "alarm:NOSPACE ")]
    public void An_alarm_is_told_as_Go_prints_it(ulong member, AlarmType type, string text) =>
        Assert.Equal(text, MaintenanceService.TextOf(new() { MemberID = member, Alarm = type }));
}
