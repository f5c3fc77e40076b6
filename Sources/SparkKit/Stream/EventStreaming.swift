public import SparkCore
public import SparkStorage

/// What leaves for connected devices once a write is committed.
public enum StreamDelivery: Sendable {
    /// A numbered event for all devices of a user.
    case event(UserID, offset: Int64, frame: [UInt8])
    /// An unnumbered frame for one device: the answer to a posted frame, exactly one each.
    case reply(any StreamConnection, frame: [UInt8])
    /// An unnumbered frame for all devices of a user.
    case notice(UserID, frame: [UInt8])
}

/// The users' streams of events: where modules write what happened, and reach who is connected.
public protocol EventStreaming: Sendable {
    /// Writes a numbered event in the transaction of what it tells.
    /// - Parameter members: what connected devices are sent; the event's own, or for one that is kept by reference what its frame's
    ///   `render` would make.
    /// - Returns: what is to be handed to `deliver` after the commit, and not if the write fails.
    func record(
        _ event: UserEvent, members: [UInt8], for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> StreamDelivery
    /// Hands deliveries to the connections, in this order; each user's numbered events must come in the order of their offsets, so
    /// from the writer's thread. Returns at once.
    func deliver(_ deliveries: [StreamDelivery])
    /// Whether a device of the user is connected.
    func isConnected(_ user: UserID) -> Bool
}

extension EventStreaming {
    /// Writes a numbered event, kept with its members, for some users in the transaction of what it tells, and has it delivered after
    /// the commit.
    public func append(_ event: UserEvent, to users: [UserID], in transaction: WriteTransaction) throws {
        let deliveries = try users.map {
            try record(event, members: event.members, for: $0, at: transaction.now, in: transaction.session)
        }
        transaction.afterCommit { deliver(deliveries) }
    }

    /// Sends an unnumbered frame to all devices of a user.
    public func notify(_ user: UserID, _ frame: [UInt8]) { deliver([.notice(user, frame: frame)]) }
}
