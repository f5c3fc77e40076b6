public import SparkCore
public import SparkStorage

/// One row of the stream's interface: a frame that clients send. The gateway applies the checks, the AsyncAPI document is made from it.
public struct ClientFrame: Sendable {
    /// How often a connection may send it; what is over is refused, and a flood closes the connection.
    public enum Limit: String, CaseIterable, Sendable {
        /// Costs a write.
        case message
        /// Costs a read.
        case query
        /// Ephemeral: dropped without a word when there are too many.
        case signal
    }

    public enum Handler: Sendable {
        /// Runs on the connection's event loop: must not wait, and throws what the client did wrong.
        case immediate(@Sendable (FrameCall) throws -> Void)
        /// Runs on the connection's event loop and starts what is answered later, so the next one may start before that. Calls of one
        /// connection take effect and are answered in the order in which they start.
        case posted(@Sendable (FrameCall) throws -> PostedAnswer)
        /// Runs beside; a few at once a connection. Returns the frame that answers, if any.
        case query(@Sendable (FrameCall) async throws -> [UInt8]?)
    }

    /// How a posted frame is answered.
    public enum PostedAnswer: Sendable {
        /// By exactly one `StreamDelivery.reply` to its connection.
        case later
        /// By this frame: nothing was started.
        case now([UInt8])
    }

    /// What a frame is about. Frames of one connection that are about the same thing take effect in the order sent: each sees what
    /// those before it did.
    public enum Subject: Sendable {
        /// Nothing that other frames are about.
        case nothing
        /// What frames of this type have in common, whatever they hold.
        case type
        /// What a member names, such as a conversation. A frame without the member is about everything.
        case member(String)
    }

    /// `noun.verb`, or a bare verb.
    public let type: String
    /// One sentence without a full stop.
    public let summary: String
    public let limit: Limit
    /// The members besides `type` and `ref`.
    public let members: [Schema.Property]
    /// Types of the frames that answer it.
    public let answers: [String]
    public let subject: Subject
    public let handler: Handler

    public init(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject = .type, members: [Schema.Property],
        answers: [String] = [], handler: Handler
    ) {
        self.type = type
        self.summary = summary
        self.limit = limit
        self.members = members
        self.answers = answers
        self.subject = subject
        self.handler = handler
    }
}

/// A frame that the server sends.
public struct ServerFrame: Sendable {
    /// Makes the members of an event that is kept by reference, as they are now; nil where nothing is left of what it told, then
    /// the event is sent with no members but `gone: true`.
    public typealias Render = @Sendable (UserEvent, UserID, SQLSession) throws -> [UInt8]?

    public let type: String
    public let summary: String
    /// Durable and replayed, under the user's next offset.
    public let isNumbered: Bool
    /// The members besides `type` and, of numbered ones, `offset`.
    public let members: [Schema.Property]
    public let render: Render?

    /// A numbered frame.
    /// - Parameter render: for events without members of their own.
    public static func numbered(
        _ type: String, _ summary: String, members: [Schema.Property], render: Render? = nil
    ) -> ServerFrame {
        ServerFrame(type: type, summary: summary, isNumbered: true, members: members, render: render)
    }

    /// A frame that is not kept.
    public static func unnumbered(_ type: String, _ summary: String, members: [Schema.Property]) -> ServerFrame {
        ServerFrame(type: type, summary: summary, isNumbered: false, members: members, render: nil)
    }
}

/// One frame of a client, as a module sees it: from a known user, limited, a JSON object.
public struct FrameCall: Sendable {
    public let connection: any StreamConnection
    public let now: Timestamp
    /// Chosen by the client, given back with errors.
    public let reference: String?
    private let object: JSONValue

    package init(connection: any StreamConnection, now: Timestamp, reference: String?, object: JSONValue) {
        self.connection = connection
        self.now = now
        self.reference = reference
        self.object = object
    }

    /// The same without members that are null: those count as absent.
    private var present: JSONValue {
        guard case .object(let members) = object, members.contains(where: \.value.isNull) else { return object }
        return .object(members.filter { !$0.value.isNull })
    }

    public var user: UserID { connection.principal.user }

    /// Reads the frame's members; null counts as absent, and members that nobody asks for are left alone, as newer clients may know
    /// more.
    /// - Throws: `InvalidInput` naming everything that is wrong with them.
    public func read<Value>(_ body: (inout ObjectReader) throws -> Value) throws -> Value {
        var session = try ObjectReader(present)
        let value = try body(&session)
        try session.finishAllowingUnknown()
        return value
    }

    /// A member that is a string, whatever else the frame holds; nil when there is none.
    public func string(_ key: String) -> String? { object[key]?.string }

    /// Answers with an error frame.
    public func refuse(_ error: any ClientError) {
        connection.send(Frame.error(error, reference: reference))
    }
}

/// Makers of frames.
public enum Frame {
    /// A whole frame.
    public static func bytes(_ type: String, capacity: Int = 128, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object { writer in
            writer.field("type", type)
            members(&writer)
        }
        return writer.bytes
    }

    /// The members of a numbered event, without braces.
    public static func members(capacity: Int = 128, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object { members(&$0) }
        return Array(writer.bytes.dropFirst().dropLast())
    }

    /// A numbered event under its offset.
    public static func numbered(_ type: String, offset: Int64, members: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(type.utf8.count + members.count + 48)
        bytes += Array("{\"type\":\"".utf8)
        bytes += Array(type.utf8)
        bytes += Array("\",\"offset\":".utf8)
        bytes += Array(String(offset).utf8)
        if !members.isEmpty {
            bytes.append(UInt8(ascii: ","))
            bytes += members
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The refusal of a message.
    public static func nack(clientID: String, _ error: any ClientError) -> [UInt8] {
        bytes("nack") { writer in
            writer.field("client_id", clientID)
            writer.field("code", error.code)
            writer.field("temporary", error.isTemporary)
            if let retryAfter = error.retryAfter { writer.field("retry_after", max(1, retryAfter.roundedUpSeconds)) }
        }
    }

    /// What was wrong with a client's frame.
    public static func error(_ error: any ClientError, reference: String?) -> [UInt8] {
        bytes("error") { writer in
            writer.field("code", error.code)
            writer.field("detail", error.detail)
            writer.field("temporary", error.isTemporary)
            if let retryAfter = error.retryAfter { writer.field("retry_after", retryAfter.roundedUpSeconds) }
            if let reference { writer.field("ref", reference) }
            guard !error.violations.isEmpty else { return }
            writer.key("errors")
            writer.array { writer in
                for violation in error.violations.prefix(8) {
                    writer.object { writer in
                        writer.field("field", violation.field)
                        writer.field("reason", violation.reason)
                        writer.field("detail", violation.detail)
                    }
                }
            }
        }
    }
}
