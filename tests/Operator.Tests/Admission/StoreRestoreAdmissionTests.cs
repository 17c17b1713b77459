using System.Text.Json.Nodes;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What an API server with the generated definition of StoreRestore lets in.</summary>
public sealed class StoreRestoreAdmissionTests
{
    static readonly JsonObject Root = (JsonObject)CrdBuilder.Build(typeof(StoreRestore))["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!;
    static readonly JsonObject Spec = (JsonObject)Root["properties"]!["spec"]!;

    [Theory]
    [InlineData("""{"cluster":"orders"}""", null)]
    [InlineData("""{"cluster":"orders","time":"2026-11-27T20:34:00Z","confirm":"orders@epoch=12"}""", null)]
    [InlineData("""{"cluster":"orders","backup":"monday","safetyBackup":false}""", null)]
    [InlineData("""{"cluster":"orders","from":{"s3":{"bucket":"backups"}},"clusterId":"cafe","encryptionKeySecret":{"name":"key"}}""", null)]
    [InlineData("{}", "cluster")]
    [InlineData("""{"cluster":"Orders"}""", "cluster")]
    [InlineData("""{"cluster":"orders","confirm":"yes"}""", "confirm")]
    [InlineData("""{"cluster":"orders","time":"yesterday"}""", "time")]
    [InlineData("""{"cluster":"orders","revision":0}""", "revision")]
    [InlineData("""{"cluster":"orders","revision":9,"time":"2026-11-27T20:34:00Z"}""", "give one of them")]
    [InlineData("""{"cluster":"orders","backup":"monday","from":{"s3":{"bucket":"backups"}}}""", "not from both")]
    [InlineData("""{"cluster":"orders","backup":"monday","clusterId":"cafe"}""", "leave them out")]
    [InlineData("""{"cluster":"orders","encryptionKeySecret":{"name":"key"}}""", "goes with from")]
    [InlineData("""{"cluster":"orders","from":{}}""", "one of s3, azure and volume")]
    public void A_wrong_one_is_refused_with_the_field_or_what_to_do(string spec, string? words) => Judge(Refusal(spec, old: null), words);

    [Theory]
    [InlineData("""{"cluster":"orders","confirm":"orders@epoch=1"}""", null)]
    [InlineData("""{"cluster":"orders","time":"2026-11-27T20:34:00Z"}""", "cannot be changed but for confirm")]
    [InlineData("""{"cluster":"orders","safetyBackup":false}""", "cannot be changed but for confirm")]
    [InlineData("""{"cluster":"orders","backup":"monday"}""", "cannot be changed but for confirm")]
    [InlineData("""{"cluster":"orders","from":{"s3":{"bucket":"backups"}}}""", "cannot be changed but for confirm")]
    [InlineData("""{"cluster":"other"}""", "cannot be changed but for confirm")]
    public void Only_its_confirmation_can_be_changed(string spec, string? words) => Judge(Refusal(spec, """{"cluster":"orders"}"""), words);

    static void Judge(string? refusal, string? words)
    {
        if (words is null) Assert.Null(refusal);
        else Assert.Contains(words, refusal, StringComparison.Ordinal);
    }

    static string? Refusal(string spec, string? old)
    {
        var filled = Filled(spec);
        return StructuralSchema.Errors(Spec, filled, "spec").FirstOrDefault() ?? CelRules.Errors(Root, Whole(filled), old is null ? null : Whole(Filled(old)), "").FirstOrDefault();
    }

    static JsonObject Filled(string spec) => StructuralSchema.Filled(Spec, (JsonObject)JsonNode.Parse(spec)!);

    static JsonObject Whole(JsonObject spec) => new() { ["metadata"] = new JsonObject { ["name"] = "back" }, ["spec"] = spec.DeepClone() };
}
