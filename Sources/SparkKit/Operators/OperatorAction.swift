public import SparkCore
public import SparkStorage
import Synchronization

/// An action that operators run by name, such as `spark user suspend`. The operator socket, the command line without a running
/// server, and the tests share one table of actions.
///
/// Every action leaves a line in the audit log. An action that writes records its line in its own transaction with
/// `OperatorCall.record`. For an action that only reads, the server appends the line with the answer's subjects before it
/// answers.
public struct OperatorAction: Sendable {
    /// Runs the action. Errors that are a `ClientError` reach the operator with their code and text.
    public typealias Handler = @Sendable (OperatorCall) async throws -> OperatorAnswer

    /// `noun.verb`.
    public let name: String
    /// One sentence without a full stop, for the help text.
    public let summary: String
    /// True if the action writes anything besides its audit log line.
    public let isChanging: Bool
    /// The members of the request's JSON object.
    public let members: [Schema.Property]
    /// Runs the action.
    public let handler: Handler

    /// Declares an action named `noun.verb`.
    public init(
        _ name: String, _ summary: String, isChanging: Bool, members: [Schema.Property], handler: @escaping Handler
    ) {
        self.name = name
        self.summary = summary
        self.isChanging = isChanging
        self.members = members
        self.handler = handler
    }

    /// Declares an action named `noun.verb`.
    /// - Parameters:
    ///   - body: The members.
    ///   - handle: Gets the members as they were read.
    public init<Body: RequestBody>(
        _ name: String, _ summary: String, isChanging: Bool, _ body: Body.Type,
        handle: @escaping @Sendable (Body, OperatorCall) async throws -> OperatorAnswer
    ) {
        self.init(name, summary, isChanging: isChanging, members: body.fields.properties) { call in
            try await handle(call.read(Body.self), call)
        }
    }
}

/// One call of an action.
public final class OperatorCall: Sendable {
    /// The operating system user who calls, as `uid:1000`.
    public let actor: String
    /// The address under which people reach the server, without a trailing slash.
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

    /// Reads the members of the request.
    /// - Throws: `InvalidInput` with every mistake in the members.
    public func read<Body: RequestBody>(_ type: Body.Type = Body.self) throws -> Body { try Body.read(members) }

    /// Appends the action's line to the audit log. The line is kept if and only if the transaction commits.
    /// - Parameter subjects: The users, cases and other records that the action concerns.
    /// - Throws: `SQLError`.
    public func record(_ subjects: [AuditSubject], in transaction: WriteTransaction) throws {
        let line = try AuditLog.append(
            action: action, actor: actor, subjects: subjects.map(\.text), at: transaction.now, in: transaction.session)
        transaction.afterCommit { [self] in last.withLock { $0 = line } }
    }

    /// The committed line; nil before the commit.
    package var line: AuditLine? { last.withLock { $0 } }
}

/// The answer of an action.
public struct OperatorAnswer: Sendable {
    /// Returns the next piece of a long answer; nil at its end.
    public typealias NextPiece = @Sendable () async throws -> [UInt8]?

    /// The answer's JSON value.
    public let result: JSONValue
    /// The subjects of the audit log line, unless the action recorded its own line.
    public let subjects: [AuditSubject]
    /// Streams a long answer in pieces after the result; nil if there is none.
    public let nextPiece: NextPiece?

    /// Creates an answer.
    public init(_ result: JSONValue, subjects: [AuditSubject] = [], nextPiece: NextPiece? = nil) {
        self.result = result
        self.subjects = subjects
        self.nextPiece = nextPiece
    }
}
