using System.Security.Cryptography;
using Store.State;
using Store.State.Tests;
using Xunit;

namespace Store.Agent.Tests;

/// <summary>
/// Random writes, leases and compactions, backed up in deltas that are merged now and then; what is restored is the state as it was. BACKUP_SEEDS=n plays more histories,
/// BACKUP_SEED=n one alone.
/// </summary>
public sealed class PointInTimeTests
{
    static readonly BackupKey Key = BackupKey.Of(new byte[32])!;

    static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("BACKUP_SEEDS"), out var seeds) ? seeds : 8;

    public static TheoryData<int> Histories => int.TryParse(Environment.GetEnvironmentVariable("BACKUP_SEED"), out var seed) ? [seed] : [.. Enumerable.Range(1, Seeds)];

    [Theory]
    [MemberData(nameof(Histories))]
    public async Task A_restored_state_is_exactly_that_of_its_revision(int seed)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var random = new Random(seed);
        using var backups = new BackedUpMachine(seed % 2 == 0 ? Key : null, seed == 1 ? null : new MemoryTarget());
        var history = new History(backups, random);
        await history.PlayAsync(steps: 600, cancelled);
        for (var i = 0; i < 25; i++)
        {
            var revision = random.NextInt64(2, history.Covered + 1);
            if (!history.IsRecoverable(revision))
            {
                var refused = await Assert.ThrowsAsync<BackupException>(() => backups.RestoreAsync(new RecoveryTarget.Revision(revision), cancelled));
                Assert.Contains($"no backup holds revision {revision}", refused.Message, StringComparison.Ordinal);
                continue;
            }
            var restored = await backups.RestoreAsync(new RecoveryTarget.Revision(revision), cancelled);
            Assert.Equal((seed, revision, history.StateAt(revision)), (seed, revision, StateHash.Of(restored)));
            Assert.Equal(revision, restored.View.Revision.Value);
            // Every key's lease is there, so that nothing stays that would have gone.
            Assert.Empty(LeasesOfKeys(restored).Where(lease => restored.State.FindLease(new(lease)) is null));
        }
        Assert.True(history.Recoverable > history.Covered / 2);
        await RestoreTheEndOf(backups, history, seed, cancelled);
    }

    static async Task RestoreTheEndOf(BackedUpMachine backups, History history, int seed, CancellationToken cancelled)
    {
        var last = await backups.TakeNextAsync(cancelled);
        var latest = await backups.RestoreAsync(new RecoveryTarget.Latest(), cancelled);
        Assert.Equal((seed, backups.Machine.View.HashKv(default)), (seed, latest.View.HashKv(default)));
        Assert.Equal(last.KvHash, latest.View.HashKv(default).Hash);
        Assert.Equal(Leases(backups.Machine), Leases(latest));
        Assert.Equal(backups.Machine.View.LiveBytes, latest.View.LiveBytes);
    }

    static IEnumerable<long> LeasesOfKeys(Machine machine) => Machine.Decoded(machine.Range("\0", "\0")).Select(kv => kv.Lease).Where(lease => lease != 0);

    static string Leases(Machine machine) => string.Join(
        ' ', Enumerable.Range(1, RandomRequests.Leases).Select(id => machine.State.FindLease(new(id))).OfType<LeaseInfo>().Select(lease => $"{lease.Id.Value}:{lease.GrantedSeconds}"));

    /// <summary>A history as it is made, and what was true at each of its revisions.</summary>
    sealed class History(BackedUpMachine backups, Random random)
    {
        readonly RandomRequests requests = new(random);
        readonly Dictionary<long, string> states = [];
        readonly HashSet<long> recoverable = [];
        long captured;

        public long Covered { get; private set; }

        public long Recoverable => recoverable.Count;

        public string StateAt(long revision) => states[revision];

        public bool IsRecoverable(long revision) => recoverable.Contains(revision);

        public async Task PlayAsync(int steps, CancellationToken cancelled)
        {
            for (var step = 0; step < steps; step++)
            {
                Step();
                states[backups.Machine.View.Revision.Value] = StateHash.Of(backups.Machine);
                if (random.Next(5) == 0) await TakeAsync(await backups.TakeNextAsync(cancelled));
                if (random.Next(150) == 0) await TakeAsync(await backups.TakeFullAsync(cancelled));
                await backups.MergeAsync(cancelled);
            }
        }

        /// <summary>A delta brings every revision behind the one before; a full one all that compaction has left.</summary>
        Task TakeAsync(Manifest taken)
        {
            var from = taken.IsFull ? Math.Max(1, taken.Compacted) : captured + 1;
            for (var revision = from; revision <= taken.To; revision++) recoverable.Add(revision);
            Covered = captured = taken.To;
            return Task.CompletedTask;
        }

        void Step()
        {
            var machine = backups.Machine;
            var revision = machine.View.Revision.Value;
            switch (random.Next(40))
            {
                case < 16: machine.Run(new() { Put = requests.Put() }); break;
                case < 22: machine.Run(new() { DeleteRange = requests.Delete() }); break;
                case < 33: machine.Run(new() { Txn = requests.Txn(revision) }); break;
                case < 36: machine.Grant(random.Next(1, RandomRequests.Leases + 1), random.Next(10, 1000)); break;
                case < 38: machine.Revoke(random.Next(1, RandomRequests.Leases + 1)); break;
                case 38: machine.Compact(random.NextInt64(Math.Max(1, revision - 60), revision + 1)); break;
                default: machine.State.CompactSome(random.Next(1, 20)); break;
            }
        }
    }

    /// <summary>Every key with everything about it: create, mod, version, value, lease.</summary>
    static class StateHash
    {
        public static string Of(Machine machine)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var keyValue in machine.Range("\0", "\0").KeyValues) hash.AppendData(keyValue.Span);
            return Convert.ToHexString(hash.GetHashAndReset());
        }
    }
}
