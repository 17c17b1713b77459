namespace Store.State;

/// <summary>The engine holds a state of another format. The message is one line for the person who starts the store.</summary>
public sealed class StateFormatException(byte found, byte known)
    : Exception($"the state on disk has format {found} but this version reads formats up to {known}: start the version that wrote it, or a newer one");
