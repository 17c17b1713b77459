using LocalCluster;

namespace EndToEnd.Tests;

/// <summary>`etcdutl snapshot restore` or `store snapshot restore`, whichever the cluster to be needs.</summary>
static class SnapshotRestore
{
    public static async Task RunAsync(LoopbackCluster cluster, MemberProcess member, string file, params string[] more)
    {
        var tool = cluster.Product == Product.Etcd ? Binaries.Etcdutl : Binaries.Store;
        string[] arguments =
        [
            "snapshot", "restore", file, "--data-dir", member.DataDirectory, "--name", member.Name, "--initial-cluster", cluster.InitialCluster,
            "--initial-cluster-token", cluster.Token, "--initial-advertise-peer-urls", member.PeerUrl, .. more,
        ];
        (await Shell.RunAsync(tool, arguments, null, TimeSpan.FromSeconds(60))).Succeeded();
    }
}
