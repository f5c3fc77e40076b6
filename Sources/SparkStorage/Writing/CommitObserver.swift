public import SparkCore

/// Observes the writes of a store, on the writer's thread, in the order of the commits. A write is answered after its commit was
/// observed, so every method must be short.
public protocol CommitObserver: Sendable {
    /// Gets each event inside its transaction, in the order of publication. May publish further events.
    /// - Throws: The reason to roll back the write that published the event.
    func inTransaction(_ event: any SparkEvent, _ transaction: WriteTransaction) throws
    /// Gets all consequences of a commit just before it. The commit may still fail.
    func willCommit(_ consequences: [Consequence])
    /// Gets all consequences after the commit, before its writes are answered. Must run the effects among them.
    func didCommit(_ consequences: [Consequence])
}

extension CommitObserver {
    /// Does nothing by default.
    public func inTransaction(_ event: any SparkEvent, _ transaction: WriteTransaction) throws {}
    /// Does nothing by default.
    public func willCommit(_ consequences: [Consequence]) {}
}

/// The observer until another is set: runs effects and drops events.
struct EffectRunner: CommitObserver {
    func didCommit(_ consequences: [Consequence]) {
        for case .effect(let effect) in consequences { effect() }
    }
}
