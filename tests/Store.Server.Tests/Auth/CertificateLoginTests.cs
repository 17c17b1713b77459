using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using LocalCluster;
using Store.Protocol.Etcdserverpb;
using Xunit;
using static Store.Server.Tests.GuardedStore;

namespace Store.Server.Tests;

/// <summary>Clients without a token are who their verified certificate says (contract 1.10), on a real member.</summary>
public sealed class CertificateLoginTests : IDisposable
{
    readonly TestAuthority authority = new("authority");
    readonly CertificateFolder files = new();

    public CertificateLoginTests()
    {
        files.Write("server", authority.Sign("server"));
        files.Write("ca.crt", authority.Pem);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_client_cert_auth_a_certificate_names_the_user_unless_there_is_a_token()
    {
        using var rootCertificate = authority.Sign("root");
        using var machineCertificate = authority.Sign("machine");
        using var strangerCertificate = authority.Sign("stranger");
        await using var store = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), "--client-cert-auth", "--trusted-ca-file=" + files["ca.crt"], "--bcrypt-cost=4"]);
        using var root = Open(store, rootCertificate);
        using var machine = Open(store, machineCertificate);
        using var stranger = Open(store, strangerCertificate);
        await EnableAsync(new(root));

        await PutAsync(machine, "machine");
        await DeniedAsync(() => PutAsync(machine, "other"));
        await DeniedAsync(() => PutAsync(stranger, "machine"));
        await PutAsync(root, "other");
        // A token counts before a certificate, also when it is void.
        var login = await new Auth.AuthClient(machine).AuthenticateAsync(new() { Name = "root", Password = "r" }, cancellationToken: Token);
        await PutAsync(machine, "other", new() { { "token", login.Token } });
        await RefusedAsync(StatusCode.Unauthenticated, "etcdserver: invalid auth token", () => PutAsync(machine, "machine", new() { { "token", "void" } }));
        // A JSON gateway's certificate is not its clients'.
        await NamelessAsync(() => PutAsync(machine, "machine", new() { { "grpcgateway-accept", "*/*" } }));
    }

    [Fact]
    public async Task An_authority_alone_asks_for_certificates_but_takes_no_names_from_them()
    {
        using var certificate = authority.Sign("root");
        await using var store = await StoreUnderTest.StartAsync(Token, [.. files.Flags("server"), "--trusted-ca-file=" + files["ca.crt"], "--bcrypt-cost=4"]);
        using var channel = Open(store, certificate);
        await EnableAsync(new(channel));
        await NamelessAsync(() => PutAsync(channel, "machine"));
    }

    public void Dispose()
    {
        files.Dispose();
        authority.Dispose();
    }

    static GrpcChannel Open(StoreUnderTest store, X509Certificate2 certificate) =>
        GrpcChannel.ForAddress(store.Url, new() { HttpClient = TlsClientTests.Http(certificate), DisposeHttpClient = true });

    static async Task EnableAsync(Auth.AuthClient users)
    {
        await users.UserAddAsync(new() { Name = "root", Password = "r" }, cancellationToken: Token);
        await users.UserGrantRoleAsync(new() { User = "root", Role = "root" }, cancellationToken: Token);
        await users.UserAddAsync(new() { Name = "machine", Options = new() { NoPassword = true } }, cancellationToken: Token);
        await users.RoleAddAsync(new() { Name = "own" }, cancellationToken: Token);
        await users.RoleGrantPermissionAsync(new() { Name = "own", Perm = new() { PermType = Protocol.Authpb.Permission.Types.Type.Readwrite, Key = Text("machine") } }, cancellationToken: Token);
        await users.UserGrantRoleAsync(new() { User = "machine", Role = "own" }, cancellationToken: Token);
        await users.AuthEnableAsync(new(), cancellationToken: Token);
    }

    static async Task PutAsync(GrpcChannel channel, string key, Metadata? metadata = null) =>
        await new KV.KVClient(channel).PutAsync(new() { Key = Text(key) }, metadata ?? [], cancellationToken: Token);
}
