using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>What to do with one object, in KubeOps' shape: a controller written against this knows nothing of queues and watches.</summary>
interface IEntityController<T> where T : IKubernetesObject<V1ObjectMeta>
{
    Task<Result> ReconcileAsync(T entity, CancellationToken cancellation);

    /// <summary>The object is gone: forget what was remembered about it.</summary>
    void Forget(ObjectKey key);
}

/// <summary>How a pass ended, and when the next one is due.</summary>
readonly record struct Result(TimeSpan? Again, string? Error)
{
    /// <summary>The controller has logged the error, in words of its own.</summary>
    public bool Logged { get; init; }

    /// <summary>Nothing until something changes.</summary>
    public static readonly Result Done = new(null, null);

    public static Result After(TimeSpan delay) => new(delay, null);

    /// <summary>Comes again with back-off, and with <see cref="Again"/> no later than that.</summary>
    public static Result Fail(string error) => new(null, error);
}
