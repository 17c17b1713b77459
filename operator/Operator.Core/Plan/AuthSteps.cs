namespace Operator.Core;

public abstract partial record Step
{
    /// <summary>A change of users, passwords or of whether they count. The shell reads the passwords, which are in no step and so in no log, and asks the API server
    /// first whether the StoreCluster is still the one that this was decided from.</summary>
    public abstract record Authentication : Step
    {
        private protected Authentication()
        {
        }
    }

    /// <summary>From here on authentication is the operator's doing.</summary>
    public sealed record TakeAuth : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with { Auth = new AuthStatus() };
    }

    /// <summary>The Secret of <see cref="OperatorLogin"/>, with a password that the shell throws.</summary>
    public sealed record CreateLogin : Authentication;

    /// <summary>root and <see cref="OperatorLogin.User"/> exist with the passwords of their Secrets and the role root, and then authentication is on: whatever users
    /// were left from an earlier time, nobody is locked out.</summary>
    public sealed record EnableAuth : Authentication;

    /// <summary>As root, because the members do not let <see cref="OperatorLogin.User"/> in.</summary>
    public sealed record RestoreLogin : Authentication;

    public sealed record SetRootPassword : Authentication;

    public sealed record LatchRootPassword(string Version) : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with { Auth = new AuthStatus { RootSecretVersion = Version } };
    }

    /// <summary>Everybody may do everything again. Users and roles stay.</summary>
    public sealed record DisableAuth : Authentication;

    /// <summary>The operator's user and its Secret go, in this order.</summary>
    public sealed record DeleteLogin(string SecretUid) : Authentication;

    public sealed record ReleaseAuth : Journal
    {
        public override StoreClusterStatus Record(StoreClusterStatus status, DateTime now) => status with { Auth = null };
    }
}
