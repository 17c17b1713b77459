using System.Runtime.CompilerServices;
using Google.Protobuf;
using Store.Protocol.Etcdserverpb;
using Store.Protocol.Replicated;
using Store.State;

namespace Store.Server;

/// <summary>Answers to what goes through the log: what came of it, under a header that says who answers.</summary>
static class ProposedAnswers
{
    extension(ReplicaLoop loop)
    {
        /// <summary>Proposes in the caller's name. Not cancelled with the call: what is proposed may be applied anyway, and the wait is bounded by the request timeout.</summary>
        public ValueTask<Answer> ProposeAsync<TResponse>(Command command, Caller caller, MemberIdentity identity, Func<TResponse, ResponseHeader> headerOf)
            where TResponse : class, IMessage
        {
            caller.Sign(command);
            return loop.AnswerAsync(loop.ProposeAsync(command, CancellationToken.None), identity, headerOf);
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public async ValueTask<Answer> AnswerAsync<TResponse>(Task<Reply> proposed, MemberIdentity identity, Func<TResponse, ResponseHeader> headerOf)
            where TResponse : class, IMessage
        {
            var reply = await proposed;
            if (reply.Error != StoreError.None) return reply.Error;
            if (reply.Result!.Error != StoreError.None) return reply.Result.Error;
            var response = (TResponse)reply.Result.Response!;
            identity.Stamp(headerOf(response), loop.Status.Term);
            return Answer.Of(response);
        }
    }
}
