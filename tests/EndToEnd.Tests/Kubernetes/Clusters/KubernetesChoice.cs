namespace EndToEnd.Tests;

/// <summary>E2E_CLUSTER says where the Kubernetes of these tests comes from.</summary>
static class KubernetesChoice
{
    public const string Variable = "E2E_CLUSTER";

    /// <returns>Null when there is none: nothing is said, and KUBECONFIG names none.</returns>
    /// <exception cref="ArgumentException">The choice is none that exists.</exception>
    public static IKubernetes? Of(string? choice, string? kubeConfig) => choice switch
    {
        null or "" or "kubeconfig" => string.IsNullOrEmpty(kubeConfig) ? null : new GivenKubernetes(),
        "k3s" => new K3sKubernetes(),
        _ => throw new ArgumentException($"{Variable} is \"{choice}\"; use kubeconfig (the cluster of KUBECONFIG, which is the default) or k3s (a K3s of its own in Docker)", nameof(choice)),
    };
}
