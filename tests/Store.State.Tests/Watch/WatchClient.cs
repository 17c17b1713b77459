using System.Text;
using Xunit;

namespace Store.State.Tests;

/// <summary>One stream, driven exactly as the shell drives it: a turn only when it was woken, has requests, or said that there is more.</summary>
sealed class WatchClient
{
    readonly WatchHub hub;
    readonly ModelHistory history;
    readonly WatchStream stream;
    readonly List<Action<WatchStream>> requests = [];
    bool more;

    public WatchClient(WatchHub hub, ModelHistory history, WatchLimits? limits = null)
    {
        (this.hub, this.history) = (hub, history);
        stream = new(hub, limits ?? WatchLimits.Default, () => Wakes++);
    }

    public int Wakes { get; private set; }

    int wakesSeen;

    public List<WatchAnswer> Received { get; } = [];

    public bool HasWork => more || requests.Count > 0 || Wakes > wakesSeen;

    public void Create(WatchSpec spec) => requests.Add(stream => stream.Create(spec));

    public void Cancel(long id) => requests.Add(stream => stream.Cancel(id));

    public void RequestProgress() => requests.Add(stream => stream.RequestProgress());

    public void TickProgress()
    {
        stream.TickProgress();
        more = true;
    }

    /// <summary>What the new answers are.</summary>
    public List<WatchAnswer> Turn()
    {
        var answers = new List<WatchAnswer>();
        if (!HasWork) return answers;
        wakesSeen = Wakes;
        foreach (var request in requests) request(stream);
        requests.Clear();
        stream.Take();
        more = stream.Pull(history, answers);
        Received.AddRange(answers);
        return answers;
    }

    /// <summary>Turns until there is nothing left to do.</summary>
    public List<WatchAnswer> Drain()
    {
        var answers = new List<WatchAnswer>();
        for (var turns = 0; HasWork; turns++)
        {
            Assert.True(turns < 100_000, "the stream finds no rest");
            answers.AddRange(Turn());
        }
        return answers;
    }

    public void Close() => stream.Close();

    public static WatchSpec Key(string key, long start = 0, long id = 0) => new(WatchRange.Of(Encoding.UTF8.GetBytes(key), []), start, id);

    public static WatchSpec Range(string from, string end, long start = 0, long id = 0) =>
        new(WatchRange.Of(Encoding.UTF8.GetBytes(from), Encoding.UTF8.GetBytes(end)), start, id);

    public static string Words(IEnumerable<WatchAnswer> answers) => string.Join("; ", answers.Select(Words));

    /// <summary>"0 events@5 a=1@5,b=2@5", "-1 progress@7".</summary>
    public static string Words(WatchAnswer answer)
    {
        var text = $"{answer.WatchId} {answer.Kind.ToString().ToLowerInvariant()}@{answer.Revision}";
        if (answer.Kind == WatchAnswerKind.Refused) text += $" {answer.Refusal}";
        if (answer.Kind == WatchAnswerKind.Compacted) text += $" {answer.CompactRevision}";
        if (answer.Events is { } events) text += " " + string.Join(',', events.Select(change => Encoding.UTF8.GetString(change.Stored.KeyValue.Span)
            + (answer.WithPrevious && change.Previous is { } previous ? $"<{Encoding.UTF8.GetString(previous.Span)}" : "")));
        return text;
    }
}
