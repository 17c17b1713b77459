using System.Collections.Concurrent;

namespace Store.Agent.Tests;

/// <summary>Objects in memory, which can be copied, counted, damaged, and cut off from the process that uses them.</summary>
sealed class MemoryTarget : IBackupTarget
{
    public MemoryTarget(MemoryTarget? copied = null) => Objects = new(copied?.Objects ?? [], StringComparer.Ordinal);

    public ConcurrentDictionary<string, byte[]> Objects { get; }

    public string Location => "memory";

    public int Operations { get; private set; }

    /// <summary>The operation at which the process dies, counted from 1; null for none.</summary>
    public int? DiesAt { get; init; }

    /// <summary>Whether that operation is done before it dies.</summary>
    public bool DiesAfter { get; init; }

    public Task PutAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Run(() =>
    {
        Objects[name] = content.ToArray();
        return true;
    });

    public Task<bool> PutNewAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Run(() => Objects.TryAdd(name, content.ToArray()));

    public Task<byte[]?> GetAsync(string name, CancellationToken cancellationToken) => Run(() => Objects.GetValueOrDefault(name));

    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken) => Run<IReadOnlyList<StoredObject>>(
        () => [.. Objects.Where(stored => stored.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(stored => new StoredObject(stored.Key, stored.Value.Length, DateTimeOffset.UnixEpoch))]);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => Run(() => Objects.TryRemove(name, out _));

    public void Dispose()
    {
    }

    Task<T> Run<T>(Func<T> operation)
    {
        Operations++;
        if (Operations < DiesAt || DiesAt is null) return Task.FromResult(operation());
        if (Operations == DiesAt && DiesAfter) operation();
        return Task.FromException<T>(new ProcessDied());
    }

    public sealed class ProcessDied : Exception;
}
