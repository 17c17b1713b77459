namespace Operator.Core;

/// <summary>Whom the members take the operator for.</summary>
public enum LoginUser
{
    /// <summary>Nobody: it is not logged in, or need not be.</summary>
    None,

    /// <summary>root, by the password in the user's Secret.</summary>
    Root,

    /// <summary><see cref="OperatorLogin.User"/>.</summary>
    Operator,
}

/// <summary>How a cluster stands with authentication. Looked at only where the spec wants it, or where it was this operator that turned it on.</summary>
public sealed record AuthView
{
    /// <summary>As a quorum says; null when nobody could be asked.</summary>
    public bool? Enabled { get; init; }

    public LoginUser LoggedInAs { get; init; }

    /// <summary>Nobody lets it in with any password that it has, and not only because nobody answers.</summary>
    public bool Refused { get; init; }

    /// <summary>Uid of the operator's own Secret; null when it does not exist.</summary>
    public string? LoginSecretUid { get; init; }

    /// <summary>Why it is not known whether the operator's own Secret exists; null when it is.</summary>
    public string? LoginSecretUnread { get; init; }

    /// <summary>Null where no Secret is asked for.</summary>
    public RootSecret? Root { get; init; }

    /// <summary>Whether root is let in with the password in the Secret; null when that was not tried: it is when status does not say so already.</summary>
    public bool? RootHasPassword { get; init; }
}
