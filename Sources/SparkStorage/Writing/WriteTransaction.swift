public import SparkCore

/// The open transaction of one write. Valid only inside the closure that received it.
public final class WriteTransaction: UnitOfWork {
    /// The writing connection.
    public let session: SQLSession
    /// The time of this write.
    public let now: Timestamp
    private(set) var consequences: [Consequence] = []

    init(session: SQLSession, now: Timestamp) {
        self.session = session
        self.now = now
    }

    /// Lets those who join an event write what they have to write of it, in the order of the events; they may tell of further ones.
    func letJoin(_ join: (any SparkEvent, WriteTransaction) throws -> Void) rethrows {
        var index = 0
        while index < consequences.count {
            if case .event(let event) = consequences[index] { try join(event, self) }
            index += 1
        }
    }

    /// Tells an event: those who join it before this write is committed, the others after; never if it fails.
    public func publish(_ event: some SparkEvent) { consequences.append(.event(event)) }

    /// Runs something short after this write is committed and before it is answered; never if it fails. On the writer's thread, in
    /// one order with the events of all writes: no other commit comes between, so it may file what this write left.
    public func afterCommit(_ effect: @escaping @Sendable () -> Void) { consequences.append(.effect(effect)) }

    /// Adds a durable job to the outbox: done at least once, after this write is committed.
    /// - Parameter availableAt: not before; now if nil.
    public func enqueue(topic: String, payload: [UInt8], availableAt: Timestamp? = nil) throws {
        try Outbox.insert(
            topic: topic, payload: payload, availableAt: availableAt ?? now, createdAt: now, in: session)
    }
}

/// What follows from a write once it is committed.
public enum Consequence: Sendable {
    case event(any SparkEvent)
    case effect(@Sendable () -> Void)
}

// The write queue's thread alone touches a transaction, one at a time.
extension WriteTransaction: @unchecked Sendable {}

extension WriteTransaction {
    /// As `SQLSession.rows`.
    public func rows<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> [Value] {
        var found: [Value] = []
        try session.statement(sql).forEach(values.map(\.sqlValue)) { row in
            found.append(try read(row))
            return true
        }
        return found
    }

    /// As `SQLSession.row`.
    public func row<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> Value? {
        try session.statement(sql).row(values.map(\.sqlValue), read: read)
    }

    /// As `SQLSession.value`.
    public func value<Value: SQLReadable>(
        _ sql: String, _ values: any SQLBindable..., as type: Value.Type = Value.self
    ) throws -> Value? {
        try session.statement(sql).row(values.map(\.sqlValue)) { row in row[0] as Value? } ?? nil
    }

    /// As `SQLSession.run`.
    @discardableResult
    public func run(_ sql: String, _ values: any SQLBindable...) throws -> Int {
        try session.statement(sql).run(values.map(\.sqlValue))
    }
}

extension UnitOfWork {
    /// The transaction behind a unit of work of this store.
    public var transaction: WriteTransaction {
        guard let transaction = self as? WriteTransaction else {
            preconditionFailure("a unit of work of another store")
        }
        return transaction
    }
}

/// What every write of a task carries along in its own transaction: the edge's row for an idempotency key.
public struct WriteAttachment: Sendable {
    @TaskLocal public static var current: WriteAttachment?

    let run: @Sendable (SQLSession) throws -> Void

    /// - Parameter run: may run several times, in several transactions.
    public init(_ run: @escaping @Sendable (SQLSession) throws -> Void) { self.run = run }
}

/// What must hold whenever a task writes: asked first thing in the transaction of each write, so that nothing can come between the
/// question and the write. The edge sets it for those on whose behalf it calls: a session that has ended writes nothing any more.
public struct WriteCondition: Sendable {
    @TaskLocal public static var current: WriteCondition?

    let check: @Sendable (WriteTransaction) throws -> Void

    /// - Parameter check: short; what it throws refuses the write.
    public init(_ check: @escaping @Sendable (WriteTransaction) throws -> Void) { self.check = check }
}
