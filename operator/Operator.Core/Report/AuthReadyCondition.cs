namespace Operator.Core;

/// <summary>True when authentication is as the spec wants it: on, with root's password the Secret's; or not the operator's concern.</summary>
static class AuthReadyCondition
{
    public static Verdict Judge(Diagnosis diagnosis)
    {
        var view = diagnosis.View;
        if (view.Auth is not { } auth) return new Verdict("True", "NotWanted", "spec.auth.enabled is not set");
        if (diagnosis.InvalidSpec is { } invalid) return new Verdict("Unknown", "InvalidSpec", invalid);
        if (AuthRules.Keep(diagnosis) is Decision.Halt { Reason: AuthRules.LockedOut } locked) return new Verdict("False", locked.Reason, locked.Message);
        if (AuthRules.Unusable(view, auth) is { } unusable) return new Verdict("False", unusable.Reason, unusable.Message);
        if (auth.Enabled is not { } enabled || auth is { Enabled: true, LoggedInAs: LoginUser.None }) return new Verdict("Unknown", "NotAsked", view.Formed ? "no quorum could be asked" : "the cluster has not formed yet");
        if (!view.Spec.WantsAuth) return new Verdict("False", "Disabling", "authentication is being turned off");
        if (!enabled) return new Verdict("False", "Enabling", "authentication is being turned on");
        return view.Status.Auth?.RootSecretVersion == auth.Root!.Version && auth.LoggedInAs == LoginUser.Operator
            ? new Verdict("True", "Enabled", $"root has the password in Secret {view.Spec.Auth!.RootSecret!.Name}")
            : new Verdict("False", "PasswordChanging", $"root has yet to get the password in Secret {view.Spec.Auth!.RootSecret!.Name}");
    }

    /// <summary>What is not there yet although the spec asks for it: a cluster that is to ask everybody and asks nobody is not ready.</summary>
    public static Verdict? Missing(Diagnosis diagnosis) =>
        diagnosis.View.Spec.WantsAuth && diagnosis.View.Auth is not { Enabled: true } && Judge(diagnosis) is { Status: not "True" } verdict ? verdict : null;
}
