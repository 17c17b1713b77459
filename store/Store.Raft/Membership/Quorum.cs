namespace Store.Raft;

/// <summary>The arithmetic of majorities.</summary>
static class Quorum
{
    public static int Size(int voters) => (voters / 2) + 1;

    /// <summary>The greatest value that a majority has reached: of 9, 5, 7 it is 7. Sorts its argument. Nobody reaches nothing: zero for no voters.</summary>
    public static ulong Reached(Span<ulong> values)
    {
        if (values.IsEmpty) return 0;
        values.Sort();
        return values[values.Length - Size(values.Length)];
    }

    public static VoteOutcome Tally(int voters, int granted, int refused)
    {
        if (granted >= Size(voters)) return VoteOutcome.Won;
        return voters - refused < Size(voters) ? VoteOutcome.Lost : VoteOutcome.Pending;
    }
}

enum VoteOutcome { Pending, Won, Lost }
