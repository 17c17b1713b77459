using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Store.Protocol.Backup;
using Store.Protocol.Etcdserverpb;

namespace Store.Agent;

/// <param name="Endpoint">The client URL of the member beside the agent.</param>
/// <param name="CaFile">Null takes the system's authorities.</param>
public sealed record MemberOptions(Uri Endpoint, string? CaFile, string? CertFile, string? KeyFile, string? User, string? PasswordFile);

/// <summary>A copy that is under way: what it is of, then its content.</summary>
public sealed class MemberCopy(CopyHead head, AsyncServerStreamingCall<CopyResponse> call) : IDisposable
{
    public CopyHead Head { get; } = head;

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await MemberClient.AskAsync(() => call.ResponseStream.MoveNext(cancellationToken))) yield return call.ResponseStream.Current.Blob.Memory;
    }

    public void Dispose() => call.Dispose();
}

/// <summary>What the agent asks of members. Failures are <see cref="BackupException"/>s.</summary>
public sealed class MemberClient : IDisposable
{
    static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    readonly MemberOptions options;
    readonly GrpcChannel channel;
    string? token;

    public MemberClient(MemberOptions options)
    {
        this.options = options;
        if (options.CaFile is { } file) _ = CertificateFiles.Authorities(file);
        channel = Open(options.Endpoint);
    }

    public async Task<MemberStatus> StatusAsync(CancellationToken cancellationToken) => await StatusAsync(channel, cancellationToken);

    /// <summary>Of all members that answer in time; each is asked at the first of its client URLs.</summary>
    public async Task<IReadOnlyList<MemberStatus>> AllAsync(CancellationToken cancellationToken)
    {
        var list = await CallAsync(headers => new Cluster.ClusterClient(channel).MemberListAsync(new(), headers, Deadline, cancellationToken).ResponseAsync, cancellationToken);
        var answers = await Task.WhenAll(list.Members.Where(member => member.ClientURLs.Count > 0).Select(member => TryStatusAsync(new(member.ClientURLs[0]), cancellationToken)));
        return [.. answers.OfType<MemberStatus>()];
    }

    /// <param name="after">The rows up to it are left out.</param>
    /// <param name="whole">They are not, and it is only asked whether the member's history has it.</param>
    /// <param name="rateLimit">Bytes a second that the member reads at most before it answers; 0 for no limit.</param>
    /// <returns>Null when the member cannot go on from there: compaction has passed it, or its history ends before.</returns>
    public async Task<MemberCopy?> CopyAsync(long after, bool whole, bool withHash, long rateLimit, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(async headers =>
            {
                var call = new Backup.BackupClient(channel).Copy(
                    new() { AfterRevision = after, Whole = whole, WithHash = withHash, BytesPerSecond = rateLimit }, headers, cancellationToken: cancellationToken);
                try
                {
                    if (await call.ResponseStream.MoveNext(cancellationToken) && call.ResponseStream.Current.Head is { } head) return new MemberCopy(head, call);
                    throw new BackupException(BackupFailure.Member, $"{options.Endpoint}: the member answered without saying what the copy is of");
                }
                catch
                {
                    call.Dispose();
                    throw;
                }
            }, cancellationToken);
        }
        catch (BackupException e) when (e.InnerException is RpcException { StatusCode: StatusCode.OutOfRange })
        {
            return null;
        }
    }

    public void Dispose() => channel.Dispose();

    internal static async Task<T> AskAsync<T>(Func<Task<T>> question)
    {
        try
        {
            return await question();
        }
        catch (RpcException e)
        {
            var hint = e.StatusCode == StatusCode.Unimplemented ? "; the agent needs a store of its own version or later, not etcd" : "";
            throw new BackupException(BackupFailure.Member, $"the member answered: {e.Status.Detail} ({e.StatusCode}){hint}", e);
        }
    }

    static DateTime Deadline => DateTime.UtcNow + AnswerMax;

    async Task<MemberStatus?> TryStatusAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var other = Open(endpoint);
            return await StatusAsync(other, cancellationToken);
        }
        catch (BackupException)
        {
            return null;
        }
    }

    async Task<MemberStatus> StatusAsync(GrpcChannel at, CancellationToken cancellationToken)
    {
        var status = await CallAsync(headers => new Maintenance.MaintenanceClient(at).StatusAsync(new(), headers, Deadline, cancellationToken).ResponseAsync, cancellationToken);
        return new(
            BackupName.Cluster(status.Header.ClusterId), status.Header.MemberId, status.Header.Revision, status.RaftAppliedIndex, status.Leader != 0,
            status.Leader == status.Header.MemberId, status.IsLearner);
    }

    /// <summary>With a login if there is one to make. One that has run out is made anew, once.</summary>
    async Task<T> CallAsync<T>(Func<Metadata, Task<T>> call, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            try
            {
                return await AskAsync(async () => await call(await HeadersAsync(cancellationToken)));
            }
            catch (BackupException e) when (!again && options.User is not null && e.InnerException is RpcException { StatusCode: StatusCode.Unauthenticated or StatusCode.InvalidArgument })
            {
                token = null;
            }
        }
    }

    async Task<Metadata> HeadersAsync(CancellationToken cancellationToken)
    {
        if (options.User is not { } user) return [];
        try
        {
            token ??= (await new Auth.AuthClient(channel).AuthenticateAsync(
                new() { Name = user, Password = options.PasswordFile is { } file ? CertificateFiles.Read(file, File.ReadAllText).Trim() : "" }, deadline: Deadline, cancellationToken: cancellationToken)).Token;
            return new() { { "token", token } };
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            // Authentication is not on yet, or not any more.
            return [];
        }
    }

    GrpcChannel Open(Uri endpoint)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(3), KeepAlivePingDelay = TimeSpan.FromSeconds(10), KeepAlivePingTimeout = TimeSpan.FromSeconds(10) };
        // Read at every handshake, as the certificate is: authorities are replaced while the agent runs.
        if (options.CaFile is { } file)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                certificate is X509Certificate2 shown && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && CertificateFiles.IsTrusted(shown, chain, CertificateFiles.Authorities(file));
        if (options is { CertFile: { } cert, KeyFile: { } key })
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => CertificateFiles.Own(cert, key);
        return GrpcChannel.ForAddress(endpoint, new() { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = null });
    }
}
