public import SparkCore
public import SparkStorage
import Synchronization

/// Something that whoever runs the server can do by name: `spark user suspend` and the like. The operator socket, the verbs without a
/// running server and tests all use the same table of actions.
///
/// Every action leaves a line in the audit log. One that writes records itself in its own transaction with `OperatorCall.record`; for
/// one that only reads, the server adds the line with the answer's subjects before it answers.
public struct OperatorAction: Sendable {
    public typealias Handler = @Sendable (OperatorCall) async throws -> OperatorAnswer

    /// `noun.verb`.
    public let name: String
    /// One sentence without a full stop.
    public let summary: String
    /// Whether it writes anything but its line in the audit log.
    public let isChanging: Bool
    public let members: [Schema.Property]
    public let handler: Handler

    public init(
        _ name: String, _ summary: String, isChanging: Bool, members: [Schema.Property], handler: @escaping Handler
    ) {
        self.name = name
        self.summary = summary
        self.isChanging = isChanging
        self.members = members
        self.handler = handler
    }
}

/// One request for an action.
public final class OperatorCall: Sendable {
    /// The operating system's user who asks, as `uid:1000`.
    public let actor: String
    /// The address under which people reach the server, without a slash at the end.
    public let publicURL: String
    private let action: String
    private let members: JSONValue
    private let last = Mutex<AuditLine?>(nil)

    package init(action: String, members: JSONValue, actor: String, publicURL: String) {
        self.action = action
        self.members = members
        self.actor = actor
        self.publicURL = publicURL
    }

    /// Reads the request's members.
    /// - Throws: `InvalidInput` naming everything that is wrong with them.
    public func read<Value>(_ body: (inout ObjectReader) throws -> Value) throws -> Value {
        var reader = try ObjectReader(members)
        let value = try body(&reader)
        try reader.finish()
        return value
    }

    /// Leaves the action's line in the audit log: kept if, and only if, the transaction is committed.
    /// - Parameter subjects: whom and what the action was about.
    public func record(_ subjects: [AuditSubject], in transaction: WriteTransaction) throws {
        let line = try AuditLog.append(
            action: action, actor: actor, subjects: subjects.map(\.text), at: transaction.now, in: transaction.session)
        transaction.afterCommit { [self] in last.withLock { $0 = line } }
    }

    /// The committed line; nil before.
    package var line: AuditLine? { last.withLock { $0 } }
}

/// What an action answers.
public struct OperatorAnswer: Sendable {
    /// The next part of a long answer; nil at its end.
    public typealias NextPiece = @Sendable () async throws -> [UInt8]?

    public let result: JSONValue
    /// Recorded if the action did not record itself.
    public let subjects: [AuditSubject]
    /// A long answer beside the result, in pieces.
    public let nextPiece: NextPiece?

    public init(_ result: JSONValue, subjects: [AuditSubject] = [], nextPiece: NextPiece? = nil) {
        self.result = result
        self.subjects = subjects
        self.nextPiece = nextPiece
    }
}
