using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Store.Server;

/// <summary>Where a service of a domain is (RFC 2782).</summary>
readonly record struct SrvTarget(string Host, int Port);

/// <summary>Asks name servers for SRV records, which .NET's own resolver cannot (RFC 1035): over UDP, and over TCP when the answer does not fit.</summary>
sealed class SrvRecords(IReadOnlyList<IPEndPoint> servers)
{
    const int DnsPort = 53, HeaderBytes = 12, SrvType = 33, InternetClass = 1, NameJumpsMax = 64;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Those of the system.</summary>
    public static SrvRecords OfSystem()
    {
        var servers = File.Exists("/etc/resolv.conf")
            ? File.ReadLines("/etc/resolv.conf").Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["nameserver", _, ..]).Select(words => IPAddress.TryParse(words[1], out var address) ? address : null).OfType<IPAddress>()
            : [];
        return new([.. servers.DefaultIfEmpty(IPAddress.Loopback).Select(address => new IPEndPoint(address, DnsPort))]);
    }

    /// <summary>Empty when the name does not exist.</summary>
    /// <exception cref="IOException">No server has answered.</exception>
    public async Task<ImmutableArray<SrvTarget>> FindAsync(string name, CancellationToken cancellationToken)
    {
        var question = Question(name);
        var failure = "";
        foreach (var server in servers)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                var answer = await AskUdpAsync(server, question, patience.Token);
                if ((answer[2] & 2) != 0) answer = await AskTcpAsync(server, question, patience.Token);
                return Read(answer);
            }
            catch (Exception exception) when (exception is SocketException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failure = $"{server}: {(exception is OperationCanceledException ? "no answer" : exception.Message)}";
            }
        }

        throw new IOException($"looking up {name}: {failure}");
    }

    static byte[] Question(string name)
    {
        var bytes = new List<byte>(HeaderBytes + name.Length + 6);
        bytes.AddRange(RandomNumberGenerator.GetBytes(2));
        bytes.AddRange([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]); // Recursion is wanted; one question.
        foreach (var label in name.TrimEnd('.').Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.AddRange([0, 0, SrvType, 0, InternetClass]);
        return [.. bytes];
    }

    static async Task<byte[]> AskUdpAsync(IPEndPoint server, byte[] question, CancellationToken cancellationToken)
    {
        using var socket = new UdpClient(server.AddressFamily);
        socket.Connect(server);
        await socket.SendAsync(question, cancellationToken);
        while (true)
        {
            var answer = (await socket.ReceiveAsync(cancellationToken)).Buffer;
            // Anything else is an answer to somebody else's question.
            if (answer.Length >= HeaderBytes && answer.AsSpan(0, 2).SequenceEqual(question.AsSpan(0, 2))) return answer;
        }
    }

    static async Task<byte[]> AskTcpAsync(IPEndPoint server, byte[] question, CancellationToken cancellationToken)
    {
        using var socket = new TcpClient(server.AddressFamily);
        await socket.ConnectAsync(server, cancellationToken);
        var stream = socket.GetStream();
        await stream.WriteAsync((byte[])[(byte)(question.Length >> 8), (byte)question.Length, .. question], cancellationToken);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, cancellationToken);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return answer.Length >= HeaderBytes ? answer : throw new IOException("the answer is too short");
    }

    /// <summary>By priority, then in the order of the answer.</summary>
    static ImmutableArray<SrvTarget> Read(ReadOnlySpan<byte> answer)
    {
        const int NoSuchName = 3;
        var code = answer[3] & 15;
        if (code == NoSuchName) return [];
        if (code != 0) throw new IOException($"the server answered with error {code}");
        try
        {
            var (questions, answers) = (BinaryPrimitives.ReadUInt16BigEndian(answer[4..]), BinaryPrimitives.ReadUInt16BigEndian(answer[6..]));
            var at = HeaderBytes;
            for (var i = 0; i < questions; i++) at = SkipName(answer, at) + 4;
            var found = new List<(int Priority, SrvTarget Target)>();
            for (var i = 0; i < answers; i++)
            {
                at = SkipName(answer, at);
                var (type, length) = (BinaryPrimitives.ReadUInt16BigEndian(answer[at..]), BinaryPrimitives.ReadUInt16BigEndian(answer[(at + 8)..]));
                var data = at + 10;
                if (type == SrvType)
                    found.Add((BinaryPrimitives.ReadUInt16BigEndian(answer[data..]), new(Name(answer, data + 6), BinaryPrimitives.ReadUInt16BigEndian(answer[(data + 4)..]))));
                at = data + length;
            }

            return [.. found.OrderBy(record => record.Priority).Select(record => record.Target)];
        }
        catch (Exception exception) when (exception is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new IOException("the answer is cut off", exception);
        }
    }

    static int SkipName(ReadOnlySpan<byte> answer, int at)
    {
        while (answer[at] is > 0 and < 0xC0 and var length) at += 1 + length;
        return at + (answer[at] == 0 ? 1 : 2);
    }

    /// <summary>A name may end in a jump to where the rest stands already.</summary>
    static string Name(ReadOnlySpan<byte> answer, int at)
    {
        var labels = new List<string>();
        for (var jumps = 0; answer[at] != 0;)
        {
            if (answer[at] >= 0xC0)
            {
                if (++jumps > NameJumpsMax) throw new IOException("a name in the answer never ends");
                at = BinaryPrimitives.ReadUInt16BigEndian(answer[at..]) & 0x3FFF;
                continue;
            }

            labels.Add(Encoding.ASCII.GetString(answer.Slice(at + 1, answer[at])));
            at += 1 + answer[at];
        }

        return string.Join('.', labels);
    }
}
