using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Authentication;
using k8s.Models;
using Operator.Core;

namespace Operator.Controller;

/// <summary>The only door to the API server: typed verbs over KubernetesClient's connection and credentials. Network failures are HttpRequestException.</summary>
sealed class KubeApi(HttpClient http, Uri server, ServiceClientCredentials? credentials)
{
    /// <summary>A page is in memory as text, twice, when it is read, and buffers are kept: of 500 pods they would be a tenth of the process.</summary>
    const int PageLimit = 100;

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static KubeApi Connect(KubernetesClientConfiguration configuration)
    {
        var kubernetes = new Kubernetes(configuration, new RestClientMetrics());
        return new KubeApi(kubernetes.HttpClient, kubernetes.BaseUri, kubernetes.Credentials);
    }

    /// <summary>A name that a spec gives and no object can have is not found: in an address it would lead elsewhere, as a blank one does to the list of all.</summary>
    public Task<ApiResult<T>> GetAsync<T>(ObjectKey key, CancellationToken cancellation) where T : class => IsName(key.Name)
        ? SendAsync<T>(HttpMethod.Get, ResourceKind.Of<T>().Path(key.Namespace, key.Name), null, cancellation)
        : Task.FromResult<ApiResult<T>>(new ApiError(HttpStatusCode.NotFound, "NotFound", $"no {ResourceKind.Of<T>().Kind} can have the name \"{key.Name}\""));

    static bool IsName(string name) => name.Length > 0 && name[0] != '.' && Uri.EscapeDataString(name) == name;

    public Task<ApiResult<Page<T>>> ListAsync<T>(string? @namespace, string? labels, string? next, CancellationToken cancellation) where T : class =>
        ListAsync<T>(@namespace, labels, fields: null, next, PageLimit, cancellation);

    public async Task<ApiResult<Page<T>>> ListAsync<T>(string? @namespace, string? labels, string? fields, string? next, int limit, CancellationToken cancellation) where T : class
    {
        var query = $"?limit={limit}{Query("labelSelector", labels)}{Query("fieldSelector", fields)}{Query("continue", next)}";
        var answer = await SendAsync<JsonDocument>(HttpMethod.Get, ResourceKind.Of<T>().Path(@namespace) + query, null, cancellation);
        if (answer.Error is { } error) return error;
        using var document = answer.Value!;
        var metadata = document.RootElement.GetProperty("metadata");
        var items = new List<T>();
        var unreadable = 0;
        if (document.RootElement.TryGetProperty("items", out var array) && array.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in array.EnumerateArray())
            {
                if (TryRead<T>(item) is { } value) items.Add(value);
                else unreadable++;
            }
        }

        var continues = metadata.TryGetProperty("continue", out var token) ? token.GetString() : null;
        return new Page<T>(items, metadata.GetProperty("resourceVersion").GetString()!, string.IsNullOrEmpty(continues) ? null : continues, unreadable);
    }

    public Task<ApiResult<T>> CreateAsync<T>(T value, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta> =>
        SendAsync<T>(HttpMethod.Post, ResourceKind.Of<T>().Path(value.Metadata.NamespaceProperty), Json(value), cancellation);

    /// <summary>Compare-and-swap on the resource version that the value carries.</summary>
    public Task<ApiResult<T>> ReplaceAsync<T>(T value, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta> =>
        SendAsync<T>(HttpMethod.Put, ResourceKind.Of<T>().Path(value.Metadata.NamespaceProperty, value.Metadata.Name), Json(value), cancellation);

    /// <summary>As <see cref="ReplaceAsync"/>, of the status alone.</summary>
    public Task<ApiResult<T>> ReplaceStatusAsync<T>(T value, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta> =>
        SendAsync<T>(HttpMethod.Put, ResourceKind.Of<T>().Path(value.Metadata.NamespaceProperty, value.Metadata.Name, "status"), Json(value), cancellation);

    /// <summary>Server-side apply: the value holds exactly the fields that this operator owns; those it no longer holds are removed.</summary>
    public Task<ApiResult<T>> ApplyAsync<T>(T value, CancellationToken cancellation) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var path = ResourceKind.Of<T>().Path(value.Metadata.NamespaceProperty, value.Metadata.Name);
        return SendAsync<T>(HttpMethod.Patch, $"{path}?fieldManager={Names.FieldManager}&force=true", Json(value, "application/apply-patch+yaml"), cancellation);
    }

    public Task<ApiResult<T>> MergePatchAsync<T>(ObjectKey key, string json, CancellationToken cancellation) where T : class =>
        SendAsync<T>(HttpMethod.Patch, ResourceKind.Of<T>().Path(key.Namespace, key.Name) + $"?fieldManager={Names.FieldManager}",
            Content(json, "application/merge-patch+json"), cancellation);

    /// <summary>Deletes the object with this uid and no later one of the same name; dependents go after it, in the background.</summary>
    public Task<ApiError?> DeleteAsync<T>(ObjectKey key, string uid, CancellationToken cancellation) where T : class => DeleteAsync<T>(key, uid, graceSeconds: null, cancellation);

    /// <inheritdoc cref="DeleteAsync{T}(ObjectKey, string, CancellationToken)"/>
    /// <param name="graceSeconds">Of a pod: 0 forgets it without its kubelet's word; its own when null.</param>
    public async Task<ApiError?> DeleteAsync<T>(ObjectKey key, string uid, long? graceSeconds, CancellationToken cancellation) where T : class
    {
        var options = new V1DeleteOptions { ApiVersion = "v1", Kind = "DeleteOptions", PropagationPolicy = "Background", Preconditions = new V1Preconditions { Uid = uid }, GracePeriodSeconds = graceSeconds };
        var answer = await SendAsync<JsonDocument>(HttpMethod.Delete, ResourceKind.Of<T>().Path(key.Namespace, key.Name), Json(options), cancellation);
        answer.Value?.Dispose();
        return answer.Error;
    }

    /// <summary>Opens a watch; the caller reads its lines and disposes the response. KubernetesClient's own watch does not return before the first event and
    /// loses a 410 without a callback, so it is not used.</summary>
    public async Task<HttpResponseMessage> OpenWatchAsync<T>(string? @namespace, string? labels, string resourceVersion, int seconds, CancellationToken cancellation)
    {
        var query = $"?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={resourceVersion}{Query("labelSelector", labels)}";
        return await SendRawAsync(HttpMethod.Get, ResourceKind.Of<T>().Path(@namespace) + query, null, cancellation);
    }

    public static T? TryRead<T>(JsonElement item) where T : class
    {
        try
        {
            return KubernetesJson.Deserialize<T>(item);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static async Task<ApiError> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStringAsync(cancellation);
        try
        {
            var status = KubernetesJson.Deserialize<V1Status>(body);
            return new ApiError(response.StatusCode, status.Reason ?? response.StatusCode.ToString(), status.Message ?? body);
        }
        catch (JsonException)
        {
            return new ApiError(response.StatusCode, response.StatusCode.ToString(), body);
        }
    }

    async Task<ApiResult<T>> SendAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation) where T : class
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(Timeout);
        try
        {
            using var response = await SendRawAsync(method, path, content, timeout.Token);
            if (!response.IsSuccessStatusCode) return await ReadErrorAsync(response, timeout.Token);
            using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
            var document = await JsonDocument.ParseAsync(body, cancellationToken: timeout.Token);
            if (document is T raw) return raw;
            using (document) return KubernetesJson.Deserialize<T>(document);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ApiError(HttpStatusCode.RequestTimeout, "Timeout", $"{method} {path} took longer than {Timeout.TotalSeconds:0} s");
        }
    }

    async Task<HttpResponseMessage> SendRawAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(server, path)) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (credentials is not null) await credentials.ProcessHttpRequestAsync(request, cancellation);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    static StringContent Json(object value, string type = "application/json") => Content(KubernetesJson.Serialize(value), type);

    static StringContent Content(string json, string type) => new(json, Encoding.UTF8, new MediaTypeHeaderValue(type));

    static string Query(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
