using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>
/// etcd's simple tokens: sixteen random letters, a dot, and the index of the log entry that made all members know them. Each member forgets them for itself when
/// it has not seen them for a while, and all of them when it stops.
/// </summary>
sealed class SimpleTokens : ITokens
{
    const int SecretLetters = 16;
    const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// <summary>Between two searches for what has run out: as precise as etcd's.</summary>
    static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    readonly ReplicaLoop loop;
    readonly TimeSpan timeToLive;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, Login> logins = new(StringComparer.Ordinal);
    long lastSweep;

    public SimpleTokens(ReplicaLoop loop, TimeSpan timeToLive, TimeProvider time)
    {
        (this.loop, this.timeToLive, this.time) = (loop, timeToLive, time);
        lastSweep = time.GetTimestamp();
        loop.TokenGranted += Remember;
    }

    public async ValueTask<Bearer> IdentifyAsync(string token, CancellationToken cancellationToken)
    {
        // Before the search: what is applied by now was remembered before.
        var applied = loop.View.Applied.Value;
        if (Find(token) is { } known) return known;
        if (IndexIn(token) is not { } index || index <= applied) return Bearer.Invalid;
        // (1) A login is answered by another member; (2) its token comes here before the entry that grants it was applied here.
        if (await loop.ReadIndexAsync(cancellationToken) is not StoreError.None and var error) return new(error, default);
        return Find(token) ?? Bearer.Invalid;
    }

    public async Task<(StoreError Error, string Token)> IssueAsync(string user, ulong revision)
    {
        var grant = new TokenGrant { User = user, Secret = RandomNumberGenerator.GetString(Letters, SecretLetters) };
        var reply = await loop.ProposeAsync(new() { TokenGrant = grant }, CancellationToken.None);
        if (reply.Error != StoreError.None) return (reply.Error, "");
        return reply.Result!.Error != StoreError.None ? (reply.Result.Error, "") : (StoreError.None, ((AuthenticateResponse)reply.Result.Response!).Token);
    }

    /// <summary>On the loop's thread, before the login is answered.</summary>
    void Remember(GrantedToken granted)
    {
        var now = time.GetTimestamp();
        Sweep(now);
        logins[granted.Token] = new(granted.User, granted.Revision) { LastSeen = now };
    }

    /// <summary>Being found is being seen. What the user and the present revision then mean is settled by the view of now.</summary>
    Bearer? Find(string token)
    {
        if (!logins.TryGetValue(token, out var login)) return null;
        var (now, auth) = (time.GetTimestamp(), loop.View.Auth);
        // Remembered a moment before the view that knows its user is published.
        if (login.Revision > auth.Revision) return null;
        if (time.GetElapsedTime(login.LastSeen, now) >= timeToLive || !auth.IsLoggedIn(login.User, login.Revision))
        {
            logins.TryRemove(new(token, login));
            return Bearer.Invalid;
        }
        login.LastSeen = now;
        return new(StoreError.None, new(login.User, auth.Revision));
    }

    void Sweep(long now)
    {
        if (time.GetElapsedTime(lastSweep, now) < SweepInterval) return;
        lastSweep = now;
        foreach (var login in logins)
            if (time.GetElapsedTime(login.Value.LastSeen, now) >= timeToLive) logins.TryRemove(login);
    }

    static ulong? IndexIn(string token)
    {
        var dot = token.IndexOf('.', StringComparison.Ordinal);
        return dot >= 0 && ulong.TryParse(token.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
    }

    sealed class Login(string user, ulong revision)
    {
        long lastSeen;

        public string User => user;

        public ulong Revision => revision;

        public long LastSeen
        {
            get => Volatile.Read(ref lastSeen);
            set => Volatile.Write(ref lastSeen, value);
        }
    }
}
