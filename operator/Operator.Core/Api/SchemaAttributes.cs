namespace Operator.Core;

/// <summary>Names a custom resource: with it the class alone says where the API server serves it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ResourceAttribute(string group, string version, string kind, string plural) : Attribute
{
    public string Group { get; } = group;
    public string Version { get; } = version;
    public string Kind { get; } = kind;
    public string Plural { get; } = plural;
    public string[] ShortNames { get; init; } = [];
}

/// <summary>A column of <c>kubectl get</c>; priority 1 shows only with <c>-o wide</c>. They appear in the order written.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class PrinterColumnAttribute(string name, string type, string jsonPath) : Attribute
{
    public string Name { get; } = name;
    public string Type { get; } = type;
    public string JsonPath { get; } = jsonPath;
    public string? Description { get; init; }
    public int Priority { get; init; }
}

/// <summary>The three paths that <c>kubectl scale</c> and autoscalers use.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ScaleAttribute(string specReplicasPath, string statusReplicasPath, string labelSelectorPath) : Attribute
{
    public string SpecReplicasPath { get; } = specReplicasPath;
    public string StatusReplicasPath { get; } = statusReplicasPath;
    public string LabelSelectorPath { get; } = labelSelectorPath;
}

/// <summary>A CEL rule; <c>self</c> is the value of the class or property that carries it. Kubernetes before 1.25 ignores these, so
/// <see cref="SpecValidation"/> says the same again.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class CelAttribute(string rule, string message) : Attribute
{
    public string Rule { get; } = rule;
    public string Message { get; } = message;
}

/// <summary>The field's description in <c>kubectl explain</c>. Every field has one; the builder refuses a field without.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class DocAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>The value the API server fills in when the field is absent; "{}" gives an object its own fields' defaults.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DefaultAttribute(object value) : Attribute
{
    public object Value { get; } = value;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class RangeAttribute(long minimum, long maximum) : Attribute
{
    public long Minimum { get; } = minimum;
    public long Maximum { get; } = maximum;
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class PatternAttribute(string regex) : Attribute
{
    public string Regex { get; } = regex;
    public int MaxLength { get; init; }
}

[AttributeUsage(AttributeTargets.Property)]
public sealed class OneOfAttribute(params object[] values) : Attribute
{
    public object[] Values { get; } = values;
}

/// <summary>A list whose items are told apart by these fields, so that two writers can own different items.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapAttribute(params string[] keys) : Attribute
{
    public string[] Keys { get; } = keys;
}
