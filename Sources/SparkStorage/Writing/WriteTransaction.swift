public import SparkCore

/// The open transaction of one write. Valid only inside the closure that received it.
public final class WriteTransaction: UnitOfWork {
    /// The writing connection, inside the transaction.
    public let session: SQLSession
    /// The time of this write. Use it for all rows of the write.
    public let now: Timestamp
    private(set) var consequences: [Consequence] = []

    init(session: SQLSession, now: Timestamp) {
        self.session = session
        self.now = now
    }

    /// Shows each event to the observer, in the order of the events. The observer may publish further ones.
    func show(to observer: any CommitObserver) throws {
        var index = 0
        while index < consequences.count {
            if case .event(let event) = consequences[index] { try observer.inTransaction(event, self) }
            index += 1
        }
    }

    /// Publishes an event: transaction hooks get it before the commit, all other subscribers after it. If the write fails,
    /// subscribers get nothing.
    public func publish(_ event: some SparkEvent) { consequences.append(.event(event)) }

    /// Runs a short closure after this write commits and before it is answered; never if the write fails. It runs on the
    /// writer's thread, in order with the events of all writes and with no other commit in between, so it may update memory
    /// with the results of this write.
    public func afterCommit(_ effect: @escaping @Sendable () -> Void) { consequences.append(.effect(effect)) }

    /// Adds a durable job to the outbox. It runs at least once, after this write commits.
    /// - Parameters:
    ///   - topic: The topic that the module declares with `ModuleRegistrar.outbox`.
    ///   - payload: The job's data.
    ///   - availableAt: The earliest time of the job; nil means now.
    /// - Throws: `SQLError`.
    public func enqueue(topic: String, payload: [UInt8], availableAt: Timestamp? = nil) throws {
        try Outbox.insert(
            topic: topic, payload: payload, availableAt: availableAt ?? now, createdAt: now, in: session)
    }
}

/// A consequence of a write, carried out once the write commits.
public enum Consequence: Sendable {
    /// An event for subscribers.
    case event(any SparkEvent)
    /// A closure to run on the writer's thread.
    case effect(@Sendable () -> Void)
}

// Only the write queue's thread uses a transaction, one at a time.
extension WriteTransaction: @unchecked Sendable {}

extension WriteTransaction: SQLRunning {
    /// A statement of the session.
    /// - Throws: `SQLError`.
    public func statement(_ sql: String) throws -> SQLStatement { try session.statement(sql) }
}

extension UnitOfWork {
    /// This unit of work as a transaction. Traps if it belongs to another store.
    public var transaction: WriteTransaction {
        guard let transaction = self as? WriteTransaction else {
            preconditionFailure("a unit of work of another store")
        }
        return transaction
    }
}

/// An addition to every write of a task, in the write's own transaction: the edge stores the row of an idempotency key with it.
public struct WriteAttachment: Sendable {
    /// The attachment of the current task.
    @TaskLocal public static var current: WriteAttachment?

    let run: @Sendable (SQLSession) throws -> Void

    /// - Parameter run: May run several times, in several transactions.
    public init(_ run: @escaping @Sendable (SQLSession) throws -> Void) { self.run = run }
}

/// A condition for every write of a task. It is checked first in each write's transaction, so nothing can change between the
/// check and the write. The edge sets it for the session that calls: a session that has ended can no longer write.
public struct WriteCondition: Sendable {
    /// The condition of the current task.
    @TaskLocal public static var current: WriteCondition?

    let check: @Sendable (WriteTransaction) throws -> Void

    /// - Parameter check: Must be short. If it throws, the write is refused.
    public init(_ check: @escaping @Sendable (WriteTransaction) throws -> Void) { self.check = check }
}
