namespace Store.Simulation;

/// <summary>A guarantee does not hold. The message says which, when, and how to see it again.</summary>
public sealed class SimulationFailureException(string message, Exception? inner = null) : Exception(message, inner);
