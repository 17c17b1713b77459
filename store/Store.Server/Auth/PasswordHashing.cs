using System.Text;
using Store.State;
using BCryptHash = BCrypt.Net.BCrypt;

namespace Store.Server;

/// <summary>bcrypt (contract 1.10), slow on purpose: on the thread pool, and never on more than half of the processors, so that logins do not starve requests.</summary>
sealed class PasswordHashing(int cost) : IDisposable
{
    /// <summary>Go's bcrypt refuses what it could not tell apart; .NET's would cut it off in silence.</summary>
    const int PasswordBytesMax = 72;

    readonly SemaphoreSlim turns = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>PasswordTooLong.</summary>
    public async Task<(StoreError Error, string Hash)> HashAsync(string password, CancellationToken cancellationToken)
    {
        if (Encoding.UTF8.GetByteCount(password) > PasswordBytesMax) return (StoreError.PasswordTooLong, "");
        return (StoreError.None, await TakeTurnAsync(() => BCryptHash.HashPassword(password, cost), cancellationToken));
    }

    public Task<bool> VerifyAsync(string password, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken) =>
        TakeTurnAsync(() => Verify(password, Encoding.ASCII.GetString(hash.Span)), cancellationToken);

    public void Dispose() => turns.Dispose();

    /// <summary>False also for what is no hash, such as the one of a password that was set to nothing.</summary>
    static bool Verify(string password, string hash)
    {
        try
        {
            return hash.Length > 0 && BCryptHash.Verify(password, hash);
        }
        catch (Exception exception) when (exception is BCrypt.Net.SaltParseException or ArgumentException)
        {
            return false;
        }
    }

    async Task<T> TakeTurnAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await turns.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(work, CancellationToken.None);
        }
        finally
        {
            turns.Release();
        }
    }
}
