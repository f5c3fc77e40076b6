/// The database of the server, whatever engine runs it: what the modules' stores are written against.
///
/// Three ways in: `write` (transactions, answered after their commit), `read` (queries in one snapshot) and `pointRead` (a few rows by
/// key, on the caller's thread where the engine can do that). A read that begins after a write was answered sees it.
public protocol Storage: Sendable {
    /// Runs one write in a transaction and returns after its commit.
    ///
    /// What `body` throws takes back this write alone. It may run more than once, so it changes nothing outside of the transaction; what
    /// is to follow from it goes into `WriteTransaction.afterCommit` or an event. A `WriteCondition` of the task is asked first.
    /// - Throws: what `body` threw, or a `StorageError`.
    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (WriteTransaction) throws -> Value) async throws -> Value

    /// The same for callers that cannot wait: event loops. Returns at once.
    /// - Parameter completion: gets, after the commit, what failed, or nil; short, on the writer's thread.
    func submit(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Void, completion: @escaping @Sendable ((any Error)?) -> Void)

    /// Runs queries in one snapshot, off the cooperative pool.
    func read<Value: Sendable>(_ body: @escaping @Sendable (SQLSession) throws -> Value) async throws -> Value

    /// The same on the caller's thread, which waits: for commands and start-up.
    func readNow<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Reads a few rows by key. Knows no spatial functions.
    func pointRead<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Runs bulk work outside the queue of writes, without waiting for the disk before its end: for loading a database that nobody else
    /// uses. A crash in between leaves it unusable.
    func bulkWrite<Value>(_ body: (SQLSession) throws -> Value) throws -> Value

    /// Lets nothing of earlier states stay in the engine's log: for when something was erased that must not be found again.
    func emptyLog() async

    /// The durable jobs.
    var outbox: Outbox { get }
}
