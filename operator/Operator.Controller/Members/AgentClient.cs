using System.Text.Json;
using System.Text.Json.Serialization;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Asks backup agents how things stand. An agent that does not answer is as good as none.</summary>
/// <param name="dial">The way to each pod.</param>
internal sealed class AgentClient(MemberDialer dial)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Connections are made anew each time: passes are seconds apart, and pods come and go.</summary>
    public async Task<AgentReport?> StatusAsync(string ip, string host, CancellationToken cancellation)
    {
        var endpoint = new MemberEndpoint(ip, Ports.Agent, host, Tls: null);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        try
        {
            using var client = new HttpClient(dial(endpoint, shown: null));
            var answer = await client.GetStringAsync(new Uri($"{endpoint.Url}/status"), patience.Token);
            return JsonSerializer.Deserialize(answer, AgentJson.Default.AgentReport);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AgentReport))]
internal sealed partial class AgentJson : JsonSerializerContext;
