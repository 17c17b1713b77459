namespace Store.Storage;

/// <summary>The disk holds something that cannot be used, or does not take what must be written. The message says which file, where, and what to do.</summary>
public sealed class StorageException : Exception
{
    public StorageException(string message) : base(message) { }

    public StorageException(string message, Exception inner) : base(message, inner) { }
}
