using System.Collections.Immutable;
using System.Globalization;
using k8s;
using k8s.Models;

namespace Operator.Controller;

/// <summary>The objects of one kind as last seen, with an index by the StoreCluster they belong to. Readers see one immutable snapshot.</summary>
/// <remarks>
/// Answers to the operator's own writes go in here too, so that the next pass does not decide from what was before them. That is safe because an object never
/// goes back: of two versions of one object the one with the higher resource version stays.
///   1. a pass applies a StatefulSet, the answer (version 12) is put in;
///   2. the watch, a little behind, delivers version 11: ignored;
///   3. the watch delivers 12, or 13: taken.
/// </remarks>
sealed class ObjectStore<T>(Func<T, ObjectKey?> owner) where T : class, IKubernetesObject<V1ObjectMeta>
{
    sealed record Snapshot(ImmutableDictionary<ObjectKey, T> Items, ImmutableDictionary<ObjectKey, ImmutableSortedDictionary<string, T>> ByOwner);

    readonly Lock gate = new();
    volatile Snapshot snapshot = new(ImmutableDictionary<ObjectKey, T>.Empty, ImmutableDictionary<ObjectKey, ImmutableSortedDictionary<string, T>>.Empty);

    public int Count => snapshot.Items.Count;

    public IEnumerable<T> All => snapshot.Items.Values;

    public T? Get(ObjectKey key) => snapshot.Items.GetValueOrDefault(key);

    /// <summary>In order of name.</summary>
    public IReadOnlyList<T> OwnedBy(ObjectKey key) => snapshot.ByOwner.TryGetValue(key, out var owned) ? [.. owned.Values] : [];

    /// <summary>Whom a change of this object concerns.</summary>
    public ObjectKey? OwnerOf(T item) => owner(item);

    public static ObjectKey KeyOf(T item) => new(item.Metadata.NamespaceProperty ?? "", item.Metadata.Name);

    /// <summary>False when a newer version is there already.</summary>
    public bool Upsert(T item)
    {
        // Nobody here reads them, and they are half of an object's memory.
        item.Metadata.ManagedFields = null;
        lock (gate)
        {
            var key = KeyOf(item);
            if (snapshot.Items.TryGetValue(key, out var there) && Version(there) > Version(item)) return false;
            snapshot = Put(snapshot, key, item);
            return true;
        }
    }

    public void Remove(T item)
    {
        lock (gate)
        {
            var key = KeyOf(item);
            if (snapshot.Items.TryGetValue(key, out var there) && Version(there) <= Version(item)) snapshot = Drop(snapshot, key, there);
        }
    }

    /// <summary>Takes a whole list made at <paramref name="resourceVersion"/>. What is newer than the list stays: the watch that follows the list tells its end.</summary>
    /// <returns>The objects that are no longer there.</returns>
    public IReadOnlyList<T> Replace(IReadOnlyList<T> items, string resourceVersion, Func<T, bool> inScope)
    {
        var gone = new List<T>();
        lock (gate)
        {
            var listed = items.Select(KeyOf).ToHashSet();
            foreach (var (key, item) in snapshot.Items)
            {
                if (!listed.Contains(key) && inScope(item) && Version(item) <= Parse(resourceVersion)) gone.Add(item);
            }

            foreach (var item in gone) snapshot = Drop(snapshot, KeyOf(item), item);
        }

        foreach (var item in items) Upsert(item);
        return gone;
    }

    Snapshot Put(Snapshot snapshot, ObjectKey key, T item)
    {
        if (snapshot.Items.TryGetValue(key, out var there)) snapshot = Drop(snapshot, key, there);
        var index = snapshot.ByOwner;
        if (owner(item) is { } owning)
            index = index.SetItem(owning, index.GetValueOrDefault(owning, ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal)).SetItem(key.Name, item));
        return new Snapshot(snapshot.Items.SetItem(key, item), index);
    }

    Snapshot Drop(Snapshot snapshot, ObjectKey key, T item)
    {
        var index = snapshot.ByOwner;
        if (owner(item) is { } owning && index.TryGetValue(owning, out var owned))
        {
            owned = owned.Remove(key.Name);
            index = owned.IsEmpty ? index.Remove(owning) : index.SetItem(owning, owned);
        }

        return new Snapshot(snapshot.Items.Remove(key), index);
    }

    static ulong Version(T item) => Parse(item.Metadata.ResourceVersion);

    /// <summary>Resource versions of one resource are ordered numbers: Kubernetes says so since 1.35, and etcd's revisions always were.</summary>
    static ulong Parse(string? version) => ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
