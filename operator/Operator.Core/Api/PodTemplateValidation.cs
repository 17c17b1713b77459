namespace Operator.Core;

/// <summary>What spec.podTemplate may say: nothing that is the operator's own.</summary>
static class PodTemplateValidation
{
    public static string? Check(PodTemplateSpec? template)
    {
        if (template is null) return null;
        if (template.Labels?.Keys.FirstOrDefault(Labels.IsOurs) is { } label) return $"spec.podTemplate.labels.{label} is the operator's own; choose another label";
        if (template.Annotations?.Keys.FirstOrDefault(Labels.IsOurs) is { } annotation) return $"spec.podTemplate.annotations.{annotation} is the operator's own; choose another annotation";
        if (template.Env?.FirstOrDefault(variable => variable.Name.StartsWith("ETCD_", StringComparison.Ordinal)) is { } variable)
            return $"spec.podTemplate.env {variable.Name} is the operator's own; options of the store are spec.server";
        if (template.Volumes?.FirstOrDefault(volume => IsTaken(volume.Name)) is { } volume) return $"spec.podTemplate.volumes {volume.Name} is the operator's own; choose another name";
        foreach (var container in (template.Sidecars ?? []).Concat(template.InitContainers ?? []))
        {
            if (string.IsNullOrEmpty(container.Name)) return "spec.podTemplate has a container without a name; give it one";
            if (container.Name is "store" or AgentContainer.Name or RestoreContainer.Name) return $"spec.podTemplate has a container named {container.Name}, which is the operator's own; choose another name";
        }

        return null;
    }

    static bool IsTaken(string? volume) => volume is null or "data" or "tmp" || volume.StartsWith("tls-", StringComparison.Ordinal) || volume.StartsWith("backup-", StringComparison.Ordinal) || volume.StartsWith("restore-", StringComparison.Ordinal);
}
