using System.Collections.Specialized;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Operator.Controller;

namespace Operator.Tests;

/// <summary>The API server as the operator's <see cref="KubeApi"/> meets it: versions and conflicts, server-side apply, merge patches, the status subresource,
/// uid preconditions, immutable fields. It answers at once and on the caller's thread.</summary>
sealed class SimulatedApi(ObjectTable table, WriteLog writes) : HttpMessageHandler
{
    sealed record Route(string Plural, ObjectKey Key, string? Subresource)
    {
        /// <summary>Reads api/v1/namespaces/NS/PLURAL/NAME/SUBRESOURCE and its like in apis/GROUP/VERSION.</summary>
        public static Route Of(Uri uri)
        {
            var parts = uri.AbsolutePath.Trim('/').Split('/');
            var rest = parts[0] == "api" ? parts[2..] : parts[3..];
            if (rest is not ["namespaces", var space, var plural, ..]) return new Route(rest[0], new ObjectKey("", ""), null);
            return new Route(plural, new ObjectKey(space, rest.ElementAtOrDefault(3) ?? ""), rest.ElementAtOrDefault(4));
        }

        /// <summary>No namespace means all of them.</summary>
        public bool IsIn(ObjectKey key) => Key.Namespace.Length == 0 || Key.Namespace == key.Namespace;
    }

    sealed class Refusal(HttpStatusCode code, string reason, string message) : Exception(message)
    {
        public HttpStatusCode Code => code;
        public string Reason => reason;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var answer = Answer(request, Route.Of(request.RequestUri!));
            return Task.FromResult(Respond(HttpStatusCode.OK, answer));
        }
        catch (Refusal refusal)
        {
            return Task.FromResult(Respond(refusal.Code, new JsonObject
            {
                ["kind"] = "Status",
                ["apiVersion"] = "v1",
                ["status"] = "Failure",
                ["reason"] = refusal.Reason,
                ["message"] = refusal.Message,
                ["code"] = (int)refusal.Code,
            }));
        }
    }

    JsonObject Answer(HttpRequestMessage request, Route route)
    {
        if (table.Unknown.Contains(route.Plural)) throw new Refusal(HttpStatusCode.NotFound, "NotFound", "the server could not find the requested resource");
        if (table.Forbidden.Contains($"{request.Method} {route.Plural}")) throw new Refusal(HttpStatusCode.Forbidden, "Forbidden", $"{route.Plural} is forbidden: the operator cannot {request.Method} it");
        if (request.Method == HttpMethod.Get) table.Reads[route.Plural] = table.Reads.GetValueOrDefault(route.Plural) + 1;
        if (request.Method == HttpMethod.Get) return route.Key.Name.Length > 0 ? Find(route) : List(route, HttpUtility.ParseQueryString(request.RequestUri!.Query));
        var body = (JsonObject)JsonNode.Parse(request.Content!.ReadAsStringAsync().GetAwaiter().GetResult())!;
        var what = $"{request.Method} {route.Plural}/{route.Key.Name}{(route.Subresource is null ? "" : "/" + route.Subresource)}";
        return writes.Write(what, () => request.Method.Method switch
        {
            "POST" => Create(route, body),
            "PUT" => Replace(route, body),
            "PATCH" when request.Content.Headers.ContentType!.MediaType == "application/apply-patch+yaml" => Apply(route, body),
            "PATCH" => MergePatch(route, body),
            "DELETE" => Delete(route, body),
            _ => throw new Refusal(HttpStatusCode.MethodNotAllowed, "MethodNotAllowed", what),
        });
    }

    JsonObject Find(Route route) =>
        table.Get(route.Plural, route.Key) ?? throw new Refusal(HttpStatusCode.NotFound, "NotFound", $"{route.Plural} \"{route.Key.Name}\" not found");

    /// <summary>Page by page, by the last name of the page before; what changes meanwhile, a watch from the first page's version tells.</summary>
    JsonObject List(Route route, NameValueCollection query)
    {
        var wanted = (query["labelSelector"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToList();
        bool Selected(JsonObject item) => wanted.All(pair => (string?)item["metadata"]!["labels"]?[pair[0]] == pair[1]);
        var (version, after) = query["continue"]?.Split(' ') is [var first, var last] ? (first, last) : ($"{table.Version}", "");
        var left = table.List(route.Plural).Where(item => route.IsIn(ObjectTable.KeyOf(item)) && Selected(item) && string.CompareOrdinal($"{ObjectTable.KeyOf(item)}", after) > 0).ToList();
        var page = left.Take(int.Parse(query["limit"] ?? "500", CultureInfo.InvariantCulture)).ToList();
        var metadata = new JsonObject { ["resourceVersion"] = version };
        if (page.Count < left.Count) metadata["continue"] = $"{version} {ObjectTable.KeyOf(page[^1])}";
        return new JsonObject { ["metadata"] = metadata, ["items"] = new JsonArray([.. page.Select(item => item.DeepClone())]) };
    }

    JsonObject Create(Route route, JsonObject body)
    {
        var key = ObjectTable.KeyOf(body);
        if (table.Get(route.Plural, key) is not null) throw new Refusal(HttpStatusCode.Conflict, "AlreadyExists", $"{route.Plural} \"{key.Name}\" already exists");
        return table.Create(route.Plural, Defaults.Fill(route.Plural, body));
    }

    JsonObject Replace(Route route, JsonObject body)
    {
        var there = Find(route);
        if ((string?)body["metadata"]!["resourceVersion"] is { } judged && judged != (string)there["metadata"]!["resourceVersion"]!)
            throw new Refusal(HttpStatusCode.Conflict, "Conflict", "the object has been modified; please apply your changes to the latest version and try again");
        if ((string?)body["metadata"]!["uid"] is { } uid && uid != (string)there["metadata"]!["uid"]!)
            throw new Refusal(HttpStatusCode.Conflict, "Conflict", "Precondition failed: UID");
        var next = (JsonObject)(route.Subresource == "status" ? there : body).DeepClone();
        next["status"] = (route.Subresource == "status" ? body : there)["status"]?.DeepClone();
        return table.Put(route.Plural, next);
    }

    JsonObject Apply(Route route, JsonObject body)
    {
        var path = $"{route.Plural}/{route.Key}";
        if (table.Get(route.Plural, route.Key) is not { } there)
        {
            table.Applied[path] = body;
            return table.Create(route.Plural, Defaults.Fill(route.Plural, body));
        }

        var before = table.Applied.GetValueOrDefault(path);
        var merged = ServerSideApply.Merge(there, body, before);
        if (Defaults.ChangesImmutable(route.Plural, there, merged) is { } field)
            throw new Refusal(HttpStatusCode.UnprocessableEntity, "Invalid", $"{route.Plural} \"{route.Key.Name}\" is invalid: {field}: Forbidden: field is immutable");
        table.Applied[path] = body;
        return table.Put(route.Plural, merged);
    }

    JsonObject MergePatch(Route route, JsonObject patch)
    {
        var there = Find(route);
        if ((string?)patch["metadata"]?["resourceVersion"] is { } judged && judged != (string)there["metadata"]!["resourceVersion"]!)
            throw new Refusal(HttpStatusCode.Conflict, "Conflict", "the object has been modified; please apply your changes to the latest version and try again");
        var merged = (JsonObject)there.DeepClone();
        Patch(merged, patch);
        return table.Put(route.Plural, merged);
    }

    static void Patch(JsonObject live, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) live.Remove(name);
            else if (value is JsonObject nested && live[name] is JsonObject there) Patch(there, nested);
            else live[name] = value.DeepClone();
        }
    }

    JsonObject Delete(Route route, JsonObject options)
    {
        var there = Find(route);
        if ((string?)options["preconditions"]?["uid"] is { } uid && uid != (string)there["metadata"]!["uid"]!)
            throw new Refusal(HttpStatusCode.Conflict, "Conflict", "Precondition failed: UID in precondition differs");
        // Without grace a pod is forgotten at once, whatever its kubelet is about.
        if (route.Plural == "pods" && (int?)options["gracePeriodSeconds"] == 0) table.Remove(route.Plural, route.Key);
        else table.Delete(route.Plural, route.Key);
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Success" };
    }

    static HttpResponseMessage Respond(HttpStatusCode code, JsonObject body) =>
        new(code) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
}

/// <summary>What Kubernetes adds to objects by itself, and what it lets nobody change: both make loops of operators that do not expect them.</summary>
static class Defaults
{
    static readonly HashSet<string> Changeable = ["replicas", "template", "updateStrategy", "minReadySeconds", "persistentVolumeClaimRetentionPolicy", "ordinals"];

    public static JsonObject Fill(string plural, JsonObject item)
    {
        var filled = (JsonObject)item.DeepClone();
        if (plural == "statefulsets")
        {
            var pod = filled["spec"]!["template"]!["spec"]!.AsObject();
            pod.TryAdd("restartPolicy", "Always");
            pod.TryAdd("dnsPolicy", "ClusterFirst");
            pod.TryAdd("schedulerName", "default-scheduler");
            pod["containers"]![0]!.AsObject().TryAdd("terminationMessagePath", "/dev/termination-log");
        }
        else if (plural == "services")
        {
            filled["spec"]!.AsObject().TryAdd("sessionAffinity", "None");
            filled["spec"]!.AsObject().TryAdd("clusterIP", "10.96.0.7");
        }

        return filled;
    }

    public static string? ChangesImmutable(string plural, JsonObject before, JsonObject after)
    {
        if (plural != "statefulsets") return null;
        var (old, next) = (before["spec"]!.AsObject(), after["spec"]!.AsObject());
        return old.Select(field => field.Key).Union(next.Select(field => field.Key))
            .FirstOrDefault(name => !Changeable.Contains(name) && !JsonNode.DeepEquals(old[name], next[name])) is { } changed
            ? $"spec.{changed}"
            : null;
    }
}
