using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using LocalCluster;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>With the same keys and the same users, a token of etcd is good at the store, and one of the store at etcd.</summary>
public sealed class SignedTokenTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("token-keys-").FullName;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("HS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("ES384")]
    public async Task Etcd_and_the_store_take_each_others_tokens(string method)
    {
        var flag = $"--auth-token=jwt,sign-method={method},{WriteKeys(method)},ttl=10m";
        await using var etcd = await LoopbackCluster.StartAsync(Product.Etcd, 1, Token, null, flag);
        await using var store = await LoopbackCluster.StartAsync(Product.Store, 3, Token, null, flag);
        var (theirs, ours) = (new Administrator(etcd[0]), new Administrator(store[0]));
        await theirs.SetUpAsync();
        await ours.SetUpAsync();
        var (fromEtcd, fromStore) = (await theirs.LogInAsync("alice", "a"), await ours.LogInAsync("alice", "a"));
        foreach (var member in store.Members) await CheckAsync(member, fromEtcd);
        foreach (var member in store.Members) await CheckAsync(member, fromStore);
        await CheckAsync(etcd[0], fromEtcd);
        await CheckAsync(etcd[0], fromStore);
    }

    static async Task CheckAsync(MemberProcess member, Metadata token)
    {
        var keys = new Administrator(member).Keys;
        await keys.PutAsync(new() { Key = ByteString.CopyFromUtf8("a") }, token, cancellationToken: Token);
        var denied = await Assert.ThrowsAsync<RpcException>(async () => await keys.PutAsync(new() { Key = ByteString.CopyFromUtf8("d") }, token, cancellationToken: Token));
        Assert.Equal((StatusCode.PermissionDenied, "etcdserver: permission denied"), (denied.StatusCode, denied.Status.Detail));
    }

    string WriteKeys(string method)
    {
        var (secret, open) = (Path.Combine(folder, "secret"), Path.Combine(folder, "open"));
        if (method[0] == 'H')
        {
            File.WriteAllBytes(secret, RandomNumberGenerator.GetBytes(50));
            return $"priv-key={secret}";
        }

        using AsymmetricAlgorithm key = method[0] == 'E' ? ECDsa.Create(ECCurve.NamedCurves.nistP384) : RSA.Create(2048);
        File.WriteAllText(secret, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(open, key.ExportSubjectPublicKeyInfoPem());
        return $"pub-key={open},priv-key={secret}";
    }
}
