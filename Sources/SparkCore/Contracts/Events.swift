/// A fact, in the past tense, that a module tells the others after its commit.
public protocol SparkEvent: Sendable {
    /// `module.past_tense`; the module must be the publisher's identifier.
    static var name: String { get }
}

/// The open transaction of a write, as one module hands it to another: opaque here, known to the stores.
public protocol UnitOfWork: Sendable {}
