namespace Store.Agent;

/// <summary>
/// Requests to a server across a network: every one has an end, is repeated a few times when that may help, its answer's body included, and then fails: the loop comes
/// back later.
/// </summary>
/// <param name="requestMax">For one request with its body.</param>
/// <param name="failureOf">What went wrong and how to say it, of what the server's client throws; null for a fault of ours, which ends the process.</param>
sealed class RepeatedRequests(string location, TimeSpan requestMax, Func<Exception, (BackupFailure Failure, string Message)?> failureOf)
{
    const int Attempts = 4;
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    /// <param name="request">Given the end of its time.</param>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(requestMax);
            try
            {
                return await request(limit.Token);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && FailureOf(e) is { } wrong)
            {
                if (wrong.Failure != BackupFailure.Unreachable || attempt == Attempts) throw new BackupException(wrong.Failure, $"{location}: {wrong.Message}", e);
            }
            await Task.Delay(FirstPause * Math.Pow(2, attempt - 1) * (1 + Random.Shared.NextDouble() / 4), cancellationToken);
        }
    }

    /// <summary>An answer's body. One that was cut off is an answer that did not come, not a damaged object.</summary>
    public static async Task<byte[]> BodyAsync(Stream body, long bytes, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream((int)Math.Max(0, bytes));
        await body.CopyToAsync(content, cancellationToken);
        return content.Length == bytes ? content.ToArray() : throw new IOException($"the answer ended after {content.Length} of {bytes} bytes");
    }

    (BackupFailure Failure, string Message)? FailureOf(Exception e) => e switch
    {
        BackupException => null,
        OperationCanceledException => (BackupFailure.Unreachable, $"no answer within {requestMax.TotalSeconds} s"),
        HttpRequestException or IOException => (BackupFailure.Unreachable, e.Message),
        _ => failureOf(e),
    };
}
