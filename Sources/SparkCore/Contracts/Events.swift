/// An event: a fact in the past tense that a module publishes to other modules when its transaction commits.
public protocol SparkEvent: Sendable {
    /// `module.past_tense`. The prefix must be the identifier of the publishing module.
    static var name: String { get }
}

/// The open transaction of a write, as one module passes it to another. Stores get their transaction from it; to other code it
/// is opaque.
public protocol UnitOfWork: Sendable {}
