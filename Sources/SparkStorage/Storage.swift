/// The server's database, independent of the engine. Modules write their stores against this protocol.
///
/// There are three ways in: `write` (transactions, answered after their commit), `read` (queries in one snapshot) and
/// `pointRead` (a few rows by key, without a suspension where the engine supports it). A read that begins after a write was
/// answered sees that write.
public protocol Storage: Sendable {
    /// Runs one write in a transaction and returns after its commit.
    ///
    /// An error from `body` rolls back this write only. `body` may run more than once, so it must change nothing outside the
    /// transaction; put consequences into `WriteTransaction.afterCommit` or an event. If the task has a `WriteCondition`, it is
    /// checked first.
    /// - Throws: What `body` throws, or a `StorageError`.
    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value

    /// Like `write`, for callers that cannot suspend, such as event loops. Returns at once.
    /// - Parameter completion: Runs after the commit on the writer's thread, with nil or the error. Must be short.
    func submit(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void, completion: @escaping @Sendable ((any Error)?) -> Void)

    /// Runs queries in one snapshot, off the cooperative thread pool.
    /// - Throws: What `body` throws, or an `SQLError`.
    func read<Value: Sendable>(_ body: @escaping @Sendable (SQLSession) throws -> Value) async throws -> Value

    /// Like `read`, but blocks the caller's thread: for commands and start-up.
    func readNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Reads a few rows by key. Spatial functions are not available. An engine in this process answers on the caller's thread,
    /// without a suspension.
    /// - Throws: What `body` throws, or an `SQLError`.
    nonisolated(nonsending) func pointRead<Value>(_ body: (SQLSession) throws -> Value) async throws -> Value

    /// Like `pointRead`, for callers that cannot suspend, such as those on the writer's thread. Blocks the caller's thread if
    /// the engine is not in this process.
    func pointReadNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Runs bulk work outside the write queue and waits for the disk only at the end. Use it to load a database that has no
    /// other user: a crash before the end leaves the database unusable.
    func bulkWrite<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Removes earlier states from the engine's log, so that erased data cannot be found in it.
    func emptyLog() async

    /// The durable jobs.
    var outbox: Outbox { get }
}
