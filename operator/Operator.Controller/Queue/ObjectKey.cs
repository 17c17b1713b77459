namespace Operator.Controller;

/// <summary>Names an object of a kind that is understood.</summary>
readonly record struct ObjectKey(string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}/{Name}";
}
