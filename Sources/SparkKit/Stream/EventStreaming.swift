public import SparkCore
public import SparkStorage

/// A frame for connected devices, sent after the write that caused it commits.
public enum StreamDelivery: Sendable {
    /// A numbered event for all devices of a user.
    case event(UserID, offset: Int64, frame: [UInt8])
    /// An unnumbered frame for one device, which answers a posted frame. Each posted frame gets exactly one.
    case reply(any StreamConnection, frame: [UInt8])
    /// An unnumbered frame for all devices of a user.
    case notice(UserID, frame: [UInt8])
}

/// The users' event streams: modules append events to them, and send frames to connected devices.
public protocol EventStreaming: Sendable {
    /// Appends a numbered event in the transaction of the change that it reports.
    /// - Parameter members: The members for connected devices: the event's own, or, for an event that is stored by reference,
    ///   the result of its frame's `render`.
    /// - Returns: The delivery to hand to `deliver` after the commit. Drop it if the write fails.
    /// - Throws: `SQLError`.
    func record(
        _ event: UserEvent, members: [UInt8], for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> StreamDelivery
    /// Hands deliveries to the connections, in this order. Each user's numbered events must arrive in the order of their
    /// offsets, so call it on the writer's thread. Returns at once.
    func deliver(_ deliveries: [StreamDelivery])
    /// True if a device of the user is connected.
    func isConnected(_ user: UserID) -> Bool
}

extension EventStreaming {
    /// Appends a numbered event, stored with its members, for each of the users. The event is part of the transaction and is
    /// delivered after the commit.
    /// - Throws: `SQLError`.
    public func append(_ event: UserEvent, to users: [UserID], in transaction: WriteTransaction) throws {
        let deliveries = try users.map {
            try record(event, members: event.members, for: $0, at: transaction.now, in: transaction.session)
        }
        transaction.afterCommit { deliver(deliveries) }
    }

    /// Sends an unnumbered frame to all devices of a user. Devices that are not connected never get it.
    public func notify(_ user: UserID, _ frame: [UInt8]) { deliver([.notice(user, frame: frame)]) }
}
