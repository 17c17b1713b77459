namespace Operator.Tests;

/// <summary>The operator process dies here.</summary>
sealed class OperatorCrash(string at) : Exception($"the operator dies at {at}");

/// <summary>Every change that operators ask for, of Kubernetes and of the store, in order; and the one at which the operator is to die.</summary>
sealed class WriteLog
{
    readonly List<string> writes = [];

    public IReadOnlyList<string> Writes => writes;

    /// <summary>Index of a write, and whether the process dies before the write takes effect or before it learns of it.</summary>
    public (int Write, bool Before)? CrashAt { get; set; }

    /// <summary>A dead process asks for nothing more. The simulation starts another one.</summary>
    public bool Crashed { get; set; }

    /// <summary>Sees every write: called before it takes effect, and what it returns is called after.</summary>
    public Func<string, Action>? Watcher { get; set; }

    public T Write<T>(string what, Func<T> effect)
    {
        if (Crashed) throw new OperatorCrash(what);
        var index = writes.Count;
        writes.Add(what);
        if (CrashAt == (index, true)) throw Crash(what);
        T answer;
        var watched = Watcher?.Invoke(what);
        try
        {
            answer = effect();
            watched?.Invoke();
        }
        catch when (CrashAt == (index, false))
        {
            // Refused, and the process dies before it learns of that.
            throw Crash(what);
        }
        return CrashAt == (index, false) ? throw Crash(what) : answer;
    }

    OperatorCrash Crash(string what)
    {
        Crashed = true;
        return new(what);
    }
}
