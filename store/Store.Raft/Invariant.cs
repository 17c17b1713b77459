using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Store.Raft;

/// <summary>Always-on checks. A broken invariant stops the process: going on would spread the damage.</summary>
public static class Invariant
{
    public static void Require(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
    {
        if (!condition) Fail(expression, file, line);
    }

    [DoesNotReturn]
    static void Fail(string? expression, string? file, int line) =>
        throw new InvariantException($"{file?[(file.LastIndexOf('/') + 1)..]}:{line}: invariant does not hold: {expression}");
}

/// <summary>Thrown by <see cref="Invariant"/> alone, and never caught but by the shell that ends the process with it.</summary>
public sealed class InvariantException(string message) : Exception(message);
