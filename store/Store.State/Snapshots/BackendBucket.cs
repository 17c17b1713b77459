namespace Store.State;

/// <summary>A named set of sorted pairs, as etcd's backend is made of. Enumerating the pairs again gives the same ones.</summary>
public sealed record BackendBucket(string Name, IEnumerable<BackendPair> Pairs);

public readonly record struct BackendPair(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);

/// <summary>A backend that etcd would not have written: the message is one line that says what is wrong.</summary>
public sealed class BackendFormatException(string message) : Exception(message);
