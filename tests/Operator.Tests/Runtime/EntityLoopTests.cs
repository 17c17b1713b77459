using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Operator.Controller;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

/// <summary>What is refused is logged, of whatever kind the entity is, and not at each of the tries that follow.</summary>
public sealed class EntityLoopTests
{
    static readonly ObjectKey Key = new("shop", "now");

    [Fact]
    public async Task A_refusal_is_logged_once_until_it_is_another_or_was_over()
    {
        Result[] passes =
        [
            Result.Fail("403 Forbidden: no"), Result.Fail("403 Forbidden: no"), Result.Fail("422 Invalid: no"), Result.Done, Result.Fail("422 Invalid: no"),
            Result.Fail("told already") with { Logged = true }, Result.Done,
        ];
        Assert.Equal(
            ["StoreBackup shop/now: 403 Forbidden: no; it is tried again", "StoreBackup shop/now: 422 Invalid: no; it is tried again", "StoreBackup shop/now: 422 Invalid: no; it is tried again"],
            await PlayAsync(passes));
    }

    static async Task<IReadOnlyList<string>> PlayAsync(IReadOnlyList<Result> passes)
    {
        var (time, log, store) = (new FakeTimeProvider(), new Lines(), new ObjectStore<StoreBackup>(_ => null));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var queue = new WorkQueue("test", time);
        store.Upsert(new StoreBackup { Metadata = new V1ObjectMeta { Name = Key.Name, NamespaceProperty = Key.Namespace }, Spec = new StoreBackupSpec { Cluster = "orders" } });
        var controller = new Scripted(passes, () => queue.Add(Key), stop);
        queue.Add(Key);
        await new EntityLoop<StoreBackup>(queue, store, time, log).RunAsync(controller, workers: 1, stop.Token);
        return log.Written;
    }

    /// <summary>Ends its passes as it is told to, each of which has the next come at once.</summary>
    sealed class Scripted(IReadOnlyList<Result> passes, Action again, CancellationTokenSource stop) : IEntityController<StoreBackup>
    {
        int done;

        public async Task<Result> ReconcileAsync(StoreBackup entity, CancellationToken cancellation)
        {
            if (done == passes.Count) await stop.CancelAsync();
            else again();
            return done < passes.Count ? passes[done++] : Result.Done;
        }

        public void Forget(ObjectKey key)
        {
        }
    }

    sealed class Lines : ILogger
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
