using System.Globalization;

namespace Operator.Tests;

/// <summary>Users of a simulated store, as far as an operator can tell: passwords, who has the role root, whether anybody is asked, and which process knows which
/// token. A process forgets its tokens when it stops, and one that nobody showed for five minutes.</summary>
sealed class SimulatedUsers(TimeProvider time)
{
    static readonly TimeSpan TimeToLive = TimeSpan.FromMinutes(5);

    internal sealed record User(string Password, bool Root);

    readonly Dictionary<string, Dictionary<string, (string User, DateTimeOffset Seen)>> known = new(StringComparer.Ordinal);
    int tokens;

    public bool Enabled { get; private set; }

    public SortedDictionary<string, User> Users { get; } = new(StringComparer.Ordinal);

    /// <returns>Null, or why not.</returns>
    public string? Enable()
    {
        if (!Users.TryGetValue("root", out var root)) return "etcdserver: root user does not exist";
        if (!root.Root) return "etcdserver: root user does not have root role";
        if (!Enabled) known.Clear();
        Enabled = true;
        return null;
    }

    public void Disable() => Enabled = false;

    /// <summary>Every process that runs learns of the token by the log.</summary>
    public string LogIn(string user, IEnumerable<StoreProcess> processes)
    {
        var token = string.Create(CultureInfo.InvariantCulture, $"token.{++tokens}");
        foreach (var process in processes) Known(process)[token] = (user, time.GetUtcNow());
        return token;
    }

    /// <summary>Who has shown this token to this process; null when it does not know it.</summary>
    public User? Find(StoreProcess process, string token)
    {
        if (!Known(process).TryGetValue(token, out var login) || time.GetUtcNow() - login.Seen >= TimeToLive) return null;
        Known(process)[token] = (login.User, time.GetUtcNow());
        return Users.GetValueOrDefault(login.User);
    }

    /// <summary>Whoever logged in with the old password is logged out.</summary>
    public void SetPassword(string user, string password)
    {
        Users[user] = Users[user] with { Password = password };
        foreach (var tokens in known.Values)
        {
            foreach (var token in tokens.Where(token => token.Value.User == user).Select(token => token.Key).ToList()) tokens.Remove(token);
        }
    }

    Dictionary<string, (string User, DateTimeOffset Seen)> Known(StoreProcess process) =>
        known.TryGetValue(process.Ip, out var tokens) ? tokens : known[process.Ip] = new(StringComparer.Ordinal);
}
