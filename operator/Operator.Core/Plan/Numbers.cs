namespace Operator.Core;

static class Numbers
{
    /// <summary>One above every number of which there is any trace: status may have been lost, and a retained volume holds another member's data.</summary>
    public static MemberName Next(ClusterView view)
    {
        var sets = view.StatefulSets.Select(set => MemberName.Parse(view.Name, set.Metadata.Name));
        var claims = view.Claims.Select(claim => OfClaim(view.Name, claim.Metadata.Name));
        var listed = view.Membership?.Members.Select(member => member.Name) ?? [];
        var highest = sets.Concat(claims).Concat(listed).Max(name => name?.Number) ?? 0;
        return new MemberName(view.Name, Math.Max(highest, view.Status.MemberHighWater ?? 0) + 1);
    }

    public static MemberName? OfClaim(string cluster, string claim) =>
        claim.StartsWith("data-", StringComparison.Ordinal) && claim.EndsWith("-0", StringComparison.Ordinal)
            ? MemberName.Parse(cluster, claim["data-".Length..^"-0".Length])
            : null;

    public static int Quorum(int voters) => voters / 2 + 1;
}
