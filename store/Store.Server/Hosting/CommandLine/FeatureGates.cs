namespace Store.Server;

/// <summary>The value of --feature-gates: "A=true,B=false", as Kubernetes writes them. Gates that mean nothing here are kept, and nobody asks for them.</summary>
static class FeatureGates
{
    /// <exception cref="FlagException">It has another form.</exception>
    public static Dictionary<string, bool> Read(FlagValues flags)
    {
        var gates = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var gate in flags.Text("feature-gates").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (gate.Split('=', 2) is not [var name, var value]) throw new FlagException($"--feature-gates: missing bool value for {gate}; write {gate}=true");
            if (!bool.TryParse(value.Trim(), out var on)) throw new FlagException($"--feature-gates: invalid value of {gate}; write true or false");
            gates[name.Trim()] = on;
        }

        return gates;
    }
}
