using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Where the tests' Kubernetes comes from, up to where Docker begins.</summary>
public sealed class KubernetesChoiceTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_variable_chooses_and_a_word_that_means_nothing_is_refused()
    {
        Assert.Null(KubernetesChoice.Of(null, null));
        Assert.IsType<GivenKubernetes>(KubernetesChoice.Of("", "/some/kubeconfig"));
        await using var k3s = KubernetesChoice.Of("k3s", "/some/kubeconfig");
        Assert.IsType<K3sKubernetes>(k3s);
        Assert.Contains("use kubeconfig", Assert.Throws<ArgumentException>(() => KubernetesChoice.Of("kind", null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task K3s_without_Docker_says_what_is_missing_and_what_to_do()
    {
        await using var k3s = new K3sKubernetes($"tcp://127.0.0.1:{Ports.Take()}");
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => k3s.StartAsync(Stop));
        Assert.StartsWith("E2E_CLUSTER=k3s needs a Docker", failure.Message, StringComparison.Ordinal);
        Assert.Contains("set KUBECONFIG", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Make_demo_gives_its_images_to_the_process_that_can_load_them()
    {
        var archive = Path.GetTempFileName();
        await File.WriteAllBytesAsync(archive, new byte[100_000], Stop);
        long loaded = 0;
        await using var loader = ImageLoader.Start((path, _) =>
        {
            loaded = new FileInfo(path).Length;
            return Task.CompletedTask;
        });
        (await LoadAsync(loader, archive)).Succeeded();
        Assert.Equal(100_000, loaded);
        File.Delete(archive);
    }

    [Fact]
    public async Task An_image_that_cannot_be_loaded_ends_the_demo_with_the_reason()
    {
        await using var loader = ImageLoader.Start((_, _) => throw new InvalidOperationException("no space left on device"));
        var result = await LoadAsync(loader, Path.Combine(Binaries.RepositoryRoot, "README.md"));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("no space left on device", result.Output + result.Error, StringComparison.Ordinal);
    }

    static Task<ShellResult> LoadAsync(ImageLoader loader, string archive) => Shell.RunAsync(
        Path.Combine(Binaries.RepositoryRoot, ".ci/demo"), ["load", archive], new Dictionary<string, string>(StringComparer.Ordinal) { ["LOAD_IMAGE"] = loader.Command }, TimeSpan.FromMinutes(1), cancellationToken: Stop);
}
