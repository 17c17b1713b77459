namespace Operator.Core;

/// <summary>The kinds of <see cref="OperationStatus"/>.</summary>
public static class Operations
{
    public const string Form = "FormCluster";
    public const string Add = "AddMember";
    public const string Remove = "RemoveMember";

    /// <summary>The id follows from kind and member: as numbers are never reused, the same operation cannot start twice.</summary>
    public static OperationStatus Start(string kind, MemberName member, DateTime now) => new()
    {
        Id = $"{kind}-{member}".ToLowerInvariant(),
        Kind = kind,
        Member = member.ToString(),
        StartedAt = now,
    };
}
