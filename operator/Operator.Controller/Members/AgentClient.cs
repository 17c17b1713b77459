using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>Asks backup agents how things stand, and for backups. An agent that does not answer is as good as none.</summary>
/// <param name="dial">The way to each pod.</param>
sealed class AgentClient(MemberDialer dial)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Of those in pods that run, whatever their member says.</summary>
    public async Task<IReadOnlyDictionary<MemberName, AgentReport>> AllAsync(ObjectKey cluster, IReadOnlyList<V1Pod> pods, CancellationToken cancellation)
    {
        var asked = pods.Where(pod => pod.Spec?.Containers?.Any(container => container.Name == AgentContainer.Name) == true && pod.Status is { Phase: "Running", PodIP.Length: > 0 })
            .Select(pod => (Name: MemberName.OfPod(cluster.Name, pod.Metadata.Name), pod.Status.PodIP)).Where(agent => agent.Name is not null).ToList();
        var answers = await Task.WhenAll(asked.Select(agent => StatusAsync(agent.PodIP, cancellation)));
        return asked.Zip(answers).Where(pair => pair.Second is not null).ToDictionary(pair => pair.First.Name!.Value, pair => pair.Second!);
    }

    /// <summary>For a full backup that is newer than the one named.</summary>
    /// <param name="address">Where the agent's member listens to clients: the agent is beside it, and takes requests by TLS where the member does.</param>
    /// <param name="after">Empty when there is none.</param>
    /// <param name="password">Of the operator's login, where members ask who calls. It is not sent: the agent has it, too, and knows what was made with it.</param>
    /// <returns>Null, or what the agent has against it.</returns>
    public async Task<string?> AskForFullAsync(MemberEndpoint address, MemberName member, string after, string? password, CancellationToken cancellation)
    {
        var agent = address with { Port = address.Tls is null ? Ports.Agent : Ports.AgentControl };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{agent.Url}/full?after={after}"));
        if (password is not null) request.Headers.Authorization = new AuthenticationHeaderValue("HMAC", Proof(password, after));
        return await SendAsync(agent, async (client, patience) =>
        {
            using var answer = await client.SendAsync(request, patience);
            return answer.IsSuccessStatusCode ? null : $"the agent of {member} refuses to take a backup: {(int)answer.StatusCode} {(await answer.Content.ReadAsStringAsync(patience)).Trim()}";
        }, cancellation);
    }

    Task<AgentReport?> StatusAsync(string ip, CancellationToken cancellation)
    {
        var agent = new MemberEndpoint(ip, Ports.Agent, ip, Tls: null);
        return SendAsync(agent, async (client, patience) =>
            JsonSerializer.Deserialize(await client.GetStringAsync(new Uri($"{agent.Url}/status"), patience), AgentJson.Default.AgentReport), cancellation);
    }

    /// <summary>Connections are made anew each time: passes are seconds apart, and pods come and go.</summary>
    async Task<T?> SendAsync<T>(MemberEndpoint agent, Func<HttpClient, CancellationToken, Task<T?>> send, CancellationToken cancellation) where T : class
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var client = new HttpClient(dial(agent, shown: null));
            return await send(client, patience.Token);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    static string Proof(string password, string after) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes($"full after {after}")));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AgentReport))]
sealed partial class AgentJson : JsonSerializerContext;
