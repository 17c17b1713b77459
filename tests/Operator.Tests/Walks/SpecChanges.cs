using System.Text.Json.Nodes;

namespace Operator.Tests;

/// <summary>Draws the next wish: now and then what people change most, else any field of the schema at any value, allowed or not.</summary>
sealed class SpecChanges(Random chance)
{
    static readonly string[] Tags = ["dev", "v2", "v3", SpecWalk.MissingTag];

    /// <summary>Who may sign, with what is there from the beginning.</summary>
    static readonly string[] Issuers =
    [
        "{}", """{"selfSigned":{}}""", """{"secretRefs":{"member":{"name":"standard"}}}""", """{"secretRefs":{"member":{"name":"standard"},"operator":{"name":"standard"}}}""", """{"certManager":{"issuerRef":{"name":"standard"}}}""",
    ];

    /// <summary>With what a cluster begins is settled when it does; a change is refused by a rule of its own (RestoreTests).</summary>
    static readonly IReadOnlyList<SpecField> Changeable = [.. SpecField.All.Where(field => field.Path[0] != "bootstrap")];

    /// <summary>The first wish, for how members talk is settled with it.</summary>
    public (string What, JsonObject Spec) First() => WithTls(Next([]));

    /// <summary>The same, encrypted otherwise: for another StoreCluster.</summary>
    public (string What, JsonObject Spec) Otherwise(JsonObject spec) => WithTls(("another StoreCluster", spec));

    (string What, JsonObject Spec) WithTls((string What, JsonObject Spec) wish)
    {
        var tls = new JsonObject();
        foreach (var side in new[] { "client", "peer" })
        {
            if (chance.Next(3) != 0) tls[side] = new JsonObject { ["issuer"] = JsonNode.Parse(Issuers[chance.Next(Issuers.Length)]) };
        }

        if (tls["client"] is { } client && chance.Next(3) == 0) client["mode"] = "Server";
        var (what, spec) = With(wish.Spec, "spec.tls", tls.Count == 0 || chance.Next(4) == 0 ? null : tls);
        return ($"{wish.What}; {what}", spec);
    }

    public (string What, JsonObject Spec) Next(JsonObject spec)
    {
        switch (chance.Next(10))
        {
            case 0 or 1: return With(spec, "spec.replicas", JsonValue.Create(1 + 2 * chance.Next(4)));
            case 2: return With(spec, "spec.image.tag", JsonValue.Create(Tags[chance.Next(Tags.Length)]));
        }

        var drawn = Changeable[chance.Next(Changeable.Count)];
        // To a cluster in clear it cannot be added, which need not be asked for as often as it has fields.
        if (drawn.Path[0] == "tls" && !spec.ContainsKey("tls") && chance.Next(8) != 0) return Next(spec);
        if (chance.Next(5) == 0) return With(spec, drawn.Name, null);
        var values = chance.Next(5) == 0 && FieldValues.Invalid(drawn.Schema) is { Count: > 0 } wrong ? wrong : FieldValues.Valid(drawn.Path[^1], drawn.Schema);
        var changed = With(spec, drawn.Name, values[chance.Next(values.Count)]);
        // Two fields at once, that may contradict each other.
        if (chance.Next(3) != 0) return changed;
        var (more, both) = Next(changed.Spec);
        return ($"{changed.What}; {more}", both);
    }

    static (string What, JsonObject Spec) With(JsonObject spec, string name, JsonNode? value) =>
        ($"{name} = {value?.ToJsonString() ?? "(absent)"}", SpecField.All.Single(one => one.Name == name).Set(spec, value));
}
