using System.Security.Cryptography.X509Certificates;

namespace LocalCluster;

/// <summary>Files of certificates in a folder of their own.</summary>
public sealed class CertificateFolder : IDisposable
{
    readonly string path = Directory.CreateTempSubdirectory("store-tls-").FullName;

    public string this[string file] => Path.Combine(path, file);

    /// <summary>Replaces the file at once, never half.</summary>
    public string Write(string file, string content)
    {
        File.WriteAllText(this[file + ".new"], content);
        File.Move(this[file + ".new"], this[file], overwrite: true);
        return this[file];
    }

    /// <summary>NAME.crt and NAME.key.</summary>
    public void Write(string name, X509Certificate2 certificate)
    {
        Write(name + ".crt", certificate.ExportCertificatePem() + "\n");
        Write(name + ".key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>--cert-file and --key-file, with a prefix such as "peer-".</summary>
    public string[] Flags(string name, string prefix = "") => [$"--{prefix}cert-file={this[name + ".crt"]}", $"--{prefix}key-file={this[name + ".key"]}"];

    public void Dispose() => Directory.Delete(path, recursive: true);
}
