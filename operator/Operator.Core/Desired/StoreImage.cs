namespace Operator.Core;

/// <summary>The image that a cluster runs, put together from its spec and the operator's default.</summary>
public static class StoreImage
{
    /// <summary><c>repo@digest</c>, else <c>repo:tag</c>; a spec with only a version takes the default's repository and that tag.</summary>
    public static string Of(StoreClusterSpec spec, string defaultImage)
    {
        var (defaultRepository, defaultTag) = Split(defaultImage);
        var repository = spec.Image.Repository ?? defaultRepository;
        if (spec.Image.Digest is { } digest) return $"{repository}@{digest}";
        var tag = spec.Image.Tag ?? spec.Version ?? defaultTag;
        return tag.Length == 0 ? repository : $"{repository}:{tag}";
    }

    /// <summary>In <c>host:5000/store:1.0</c> only the colon after the last slash begins a tag.</summary>
    static (string Repository, string Tag) Split(string image)
    {
        var colon = image.LastIndexOf(':');
        return colon > image.LastIndexOf('/') ? (image[..colon], image[(colon + 1)..]) : (image, "");
    }
}
