using System.Net;

namespace Operator.Controller;

/// <summary>A refusal of the API server, as a value: conflicts and absences are ordinary here.</summary>
sealed record ApiError(HttpStatusCode Status, string Reason, string Message)
{
    public bool NotFound => Status == HttpStatusCode.NotFound;

    /// <summary>Somebody else wrote first (or, on create, the object exists): look again.</summary>
    public bool Conflict => Status == HttpStatusCode.Conflict;

    /// <summary>The resource version is older than what the server remembers: list again.</summary>
    public bool Gone => Status == HttpStatusCode.Gone;

    public override string ToString() => $"{(int)Status} {Reason}: {Message}";
}

/// <summary>Either a value or an error.</summary>
readonly record struct ApiResult<T>(T? Value, ApiError? Error) where T : class
{
    public static implicit operator ApiResult<T>(T value) => new(value, null);

    public static implicit operator ApiResult<T>(ApiError error) => new(null, error);
}

/// <summary>One page of a list. Items that could not be read are left out and counted: one odd object must not blind the operator to all others.</summary>
sealed record Page<T>(IReadOnlyList<T> Items, string ResourceVersion, string? Continue, int Unreadable);
