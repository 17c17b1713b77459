namespace Store.Server;

/// <summary>What a frame carries. Values are on the wire: never renumbered within a protocol version.</summary>
enum FrameType : byte
{
    PreVote = 1,
    PreVoteReply = 2,
    RequestVote = 3,
    VoteReply = 4,
    AppendEntries = 5,
    AppendAccepted = 6,
    AppendRejected = 7,
    Heartbeat = 8,
    HeartbeatReply = 9,
    TimeoutNow = 11,
    Propose = 12,
    ReadIndexRequest = 13,
    ReadIndexReply = 14,
    TransferLeader = 15,
    HashQuestion = 16,
    HashAnswer = 17,
    StateRequest = 18,

    Ping = 32,
    Pong = 33,

    Request = 40,
    Response = 41,

    /// <summary>The sender's term (8).</summary>
    SnapshotBegin = 50,
    /// <summary>One piece as the storage cut it.</summary>
    SnapshotPiece = 51,
    /// <summary>Empty: that was the last piece.</summary>
    SnapshotEnd = 52,
    /// <summary>Empty: it has arrived, is durable and was handed to the core.</summary>
    SnapshotTaken = 53,
}
