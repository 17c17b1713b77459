namespace Benchmarks;

/// <summary>Makes requests and judges answers for <see cref="LoadLoop"/>. A slot has at most one request outstanding. One thread.</summary>
interface IWorkload
{
    /// <summary>The gRPC method, "/etcdserverpb.KV/Put".</summary>
    string Path { get; }

    /// <summary>Writes the slot's next request message (without gRPC's prefix); returns its length.</summary>
    int Write(int slot, Span<byte> to);

    /// <param name="head">The message's first bytes, at most 507.</param>
    /// <param name="length">The whole message's length.</param>
    bool Accept(int slot, ReadOnlySpan<byte> head, int length);
}
