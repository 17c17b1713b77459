namespace Operator.Core;

/// <summary>Turning authentication on and off, and keeping root's password what the Secret says.</summary>
static class AuthRules
{
    public const string LockedOut = "LockedOut";

    /// <summary>
    /// On, once the cluster has formed:
    ///   1. status says that authentication is the operator's doing;
    ///   2. the operator has a Secret with a password of its own;
    ///   3. users and passwords are set and authentication is turned on, in one step: it can be repeated while it is off, and nobody can be locked out by it;
    ///   4. root is let in with the Secret's password, and status says which version of the Secret that was. When there is a later one, its password is tried,
    ///      set if it is refused, and tried again: no hash of a password is kept anywhere, and after a crash the trial tells what had happened.
    /// Off again: turned off, the operator's user and Secret deleted, and the note in status last.
    /// </summary>
    public static Decision Keep(Diagnosis diagnosis)
    {
        if (diagnosis.View.Auth is not { } auth) return Decision.NothingToDo;
        if (auth is { Enabled: true, LoggedInAs: LoginUser.None }) return auth.Refused ? new Decision.Halt(LockedOut, Locked(diagnosis.View, auth)) : Decision.NothingToDo;
        if (Unusable(diagnosis.View, auth) is { } decline) return decline;
        return diagnosis.View.Spec.WantsAuth ? TurnOn(diagnosis.View, auth) : TurnOff(diagnosis.View, auth);
    }

    /// <summary>A Secret that is needed and cannot be used, and what to do about it.</summary>
    public static Decision.Decline? Unusable(ClusterView view, AuthView auth)
    {
        if (view.Spec.WantsAuth && auth.Root is { Version: null } root) return new Decision.Decline(root.Reason, root.Message);
        return auth.LoginSecretUnread is { } error
            ? new Decision.Decline("LoginSecretUnreadable", $"the operator cannot read its own Secret {Names.OperatorLogin(view.Name)}: {error}")
            : null;
    }

    static Decision TurnOn(ClusterView view, AuthView auth)
    {
        if (auth.Enabled is not { } enabled) return Decision.NothingToDo;
        if (view.Status.Auth is null) return new Decision.Act(new Step.TakeAuth());
        if (auth.LoginSecretUid is null) return new Decision.Act(new Step.CreateLogin());
        if (!enabled) return new Decision.Act(new Step.EnableAuth());
        if (auth.LoggedInAs == LoginUser.Root) return new Decision.Act(new Step.RestoreLogin());
        var version = auth.Root!.Version!;
        if (view.Status.Auth.RootSecretVersion == version) return Decision.NothingToDo;
        return auth.RootHasPassword switch
        {
            true => new Decision.Act(new Step.LatchRootPassword(version)),
            false => new Decision.Act(new Step.SetRootPassword()),
            null => Decision.NothingToDo,
        };
    }

    static Decision TurnOff(ClusterView view, AuthView auth) => (auth.Enabled, auth.LoginSecretUid) switch
    {
        (null, _) => Decision.NothingToDo,
        (true, _) => new Decision.Act(new Step.DisableAuth()),
        (false, { } uid) => new Decision.Act(new Step.DeleteLogin(uid)),
        (false, null) => new Decision.Act(new Step.ReleaseAuth()),
    };

    static string Locked(ClusterView view, AuthView auth)
    {
        var cure = view.Spec.Auth?.RootSecret is { } secret
            ? $"put root's present password under the key {secret.Key} of Secret {secret.Name}"
            : "name a Secret with root's present password in spec.auth.rootSecret";
        return $"authentication is on, and the members let neither {OperatorLogin.User} nor root in; {cure}{(auth.Root is { Version: null, Message: { } why } ? $" ({why})" : "")}";
    }
}
