using k8s;
using YamlDotNet.Serialization;

namespace Operator.Tests;

static class Yaml
{
    /// <summary>Reads one document the way the API server would: by way of JSON.</summary>
    public static T Read<T>(string yaml)
    {
        var value = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(yaml);
        return KubernetesJson.Deserialize<T>(new SerializerBuilder().JsonCompatible().Build().Serialize(value));
    }
}
