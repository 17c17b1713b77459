using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.V3electionpb;
using Store.Protocol.V3lockpb;
using Action = Store.Protocol.Etcdserverpb.AlarmRequest.Types.AlarmAction;

namespace EndToEnd.Tests;

/// <summary>What a client knows from the answers so far; the generator aims its next request with it.</summary>
sealed class Knowledge
{
    readonly SortedSet<long>[] watches = [.. Enumerable.Range(0, Subject.Streams).Select(_ => new SortedSet<long>())];
    readonly HashSet<(int Stream, long Id)> spent = [];
    readonly long[] futures = new long[Subject.Streams];

    public long Revision { get; private set; } = 1;
    public long Compacted { get; private set; }
    public SortedSet<long> Leases { get; } = [];
    public SortedSet<(ulong Member, AlarmType Type)> Alarms { get; } = [];

    public bool AuthEnabled { get; private set; }
    /// <summary>Of the users there are; null for those that have none.</summary>
    public SortedDictionary<string, string?> Passwords { get; } = new(StringComparer.Ordinal);
    /// <summary>Users that there are not any more. etcd 3.5 goes on to say of them that they have no password, until it has written that they are gone.</summary>
    public SortedSet<string> PasswordlessBefore { get; } = new(StringComparer.Ordinal);
    /// <summary>Since their passwords or authentication changed last.</summary>
    public SortedSet<string> LoggedIn { get; } = new(StringComparer.Ordinal);

    /// <summary>That were given out, held still or not.</summary>
    public List<ByteString> Locks { get; } = [];
    public List<LeaderKey> Offices { get; } = [];

    public SortedSet<long> LiveWatches(int stream) => watches[stream];

    /// <summary>
    /// The last revision at which a watch of this stream begins; before it the server gives no progress. Never, once a watch began behind compaction: etcd goes on to wait
    /// for that one.
    /// </summary>
    public long FutureOf(int stream) => futures[stream];

    /// <summary>Of a watch that began behind compaction, which cancels it right after its creation.</summary>
    public bool IsSpent(int stream, long watchId) => spent.Contains((stream, watchId));

    public void Learn(Step step, Answer answer)
    {
        if (answer.Response is { } response)
            LearnHeader(response);
        switch (step, answer.Response)
        {
            case (Step.Unary unary, { } granted):
                LearnKeys(unary.Request, granted);
                LearnUsers(unary.Request);
                break;
            case (Step.Acquire, LockResponse granted):
                Locks.Add(granted.Key);
                break;
            case (Step.Acquire, CampaignResponse elected):
                Offices.Add(elected.Leader);
                break;
            case (Step.WatchCreate create, WatchResponse { Canceled: false } created):
                var behind = create.Request.StartRevision != 0 && create.Request.StartRevision < Compacted;
                if (behind)
                    spent.Add((create.Stream, created.WatchId));
                else
                    watches[create.Stream].Add(created.WatchId);
                futures[create.Stream] = behind ? long.MaxValue : Math.Max(futures[create.Stream], create.Request.StartRevision);
                break;
            case (Step.WatchCancel cancel, _):
                watches[cancel.Stream].Remove(cancel.WatchId);
                break;
            case (Step.WatchReset, _):
                foreach (var stream in watches)
                    stream.Clear();
                spent.Clear();
                Array.Clear(futures);
                break;
            case (Step.Snapshot snapshot, _):
                Compacted = Math.Max(Compacted, snapshot.Revision);
                break;
        }
    }

    void LearnKeys(IMessage request, IMessage response)
    {
        switch (request)
        {
            case CompactionRequest compaction:
                Compacted = compaction.Revision;
                break;
            case LeaseGrantRequest:
                Leases.Add(((LeaseGrantResponse)response).ID);
                break;
            case LeaseRevokeRequest revoke:
                Leases.Remove(revoke.ID);
                break;
            case AlarmRequest { Action: Action.Activate } alarm when alarm.Alarm != AlarmType.None:
                Alarms.Add((alarm.MemberID, alarm.Alarm));
                break;
            case AlarmRequest { Action: Action.Deactivate } alarm:
                Alarms.Remove((alarm.MemberID, alarm.Alarm));
                break;
        }
    }

    void LearnUsers(IMessage request)
    {
        switch (request)
        {
            case AuthUserAddRequest add:
                Passwords[add.Name] = add.Options is { NoPassword: true } ? null : add.Password;
                PasswordlessBefore.Remove(add.Name);
                break;
            case AuthUserChangePasswordRequest change:
                // Who has none does not get one.
                if (Passwords.GetValueOrDefault(change.Name) is not null)
                    Passwords[change.Name] = change.Password;
                LoggedIn.Remove(change.Name);
                break;
            case AuthUserDeleteRequest delete:
                if (Passwords.GetValueOrDefault(delete.Name) is null)
                    PasswordlessBefore.Add(delete.Name);
                Passwords.Remove(delete.Name);
                LoggedIn.Remove(delete.Name);
                break;
            case AuthenticateRequest login:
                LoggedIn.Add(login.Name);
                break;
            case AuthEnableRequest:
                AuthEnabled = true;
                break;
            case AuthDisableRequest:
                AuthEnabled = false;
                LoggedIn.Clear();
                break;
        }
    }

    void LearnHeader(IMessage response)
    {
        if (response.Descriptor.FindFieldByName("header")?.Accessor.GetValue(response) is ResponseHeader header)
            Revision = Math.Max(Revision, header.Revision);
    }
}
