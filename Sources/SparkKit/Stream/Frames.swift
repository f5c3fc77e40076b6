public import SparkCore
public import SparkStorage

/// A frame that clients send over the stream. The gateway enforces the declaration, and the AsyncAPI document is generated from
/// it.
public struct ClientFrame: Sendable {
    /// The rate limit of a frame on one connection. Frames over the limit are refused; a flood closes the connection.
    public enum Limit: String, CaseIterable, Sendable {
        /// Frames that cause a write.
        case message
        /// Frames that cause a read.
        case query
        /// Ephemeral frames. Frames over the limit are dropped without an answer.
        case signal
    }

    /// How the server handles a frame.
    public enum Handler: Sendable {
        /// Runs on the connection's event loop. Must not block. Throws the client's mistakes.
        case immediate(@Sendable (FrameCall) throws -> Void)
        /// Runs on the connection's event loop and starts work that is answered later; the next frame may start before that.
        /// Calls of one connection take effect, and are answered, in the order in which they start.
        case posted(@Sendable (FrameCall) throws -> PostedAnswer)
        /// Runs concurrently, a few at a time on each connection. Returns the answer, if there is one.
        case query(@Sendable (FrameCall) async throws -> [UInt8]?)
    }

    /// How a posted frame is answered.
    public enum PostedAnswer: Sendable {
        /// With exactly one later `StreamDelivery.reply` to its connection.
        case later
        /// With this frame. No work was started.
        case now([UInt8])
    }

    /// The subject of a frame. Frames of one connection with the same subject take effect in the order in which they were sent:
    /// each sees the effects of the earlier ones.
    public enum Subject: Sendable {
        /// No order: the frame shares its subject with no other frame.
        case nothing
        /// All frames of this type share one subject.
        case type
        /// The value of a member, such as a conversation. A frame without the member shares its subject with all frames of the
        /// connection.
        case member(String)
    }

    /// `noun.verb`, or a bare verb.
    public let type: String
    /// One sentence without a full stop, for the AsyncAPI document.
    public let summary: String
    /// The rate limit that applies.
    public let limit: Limit
    /// The members besides `type` and `ref`.
    public let members: [Schema.Property]
    /// The types of the frames that answer it.
    public let answers: [String]
    /// The subject that orders frames of this type.
    public let subject: Subject
    /// Handles the frame.
    public let handler: Handler

    private init(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject, members: [Schema.Property],
        answers: [String], handler: Handler
    ) {
        self.type = type
        self.summary = summary
        self.limit = limit
        self.members = members
        self.answers = answers
        self.subject = subject
        self.handler = handler
    }

    /// Declares a frame that clients send, without members. By default, frames of the same type keep their order.
    public init(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject = .type, answers: [String] = [],
        handler: Handler
    ) {
        self.init(type, summary, limit: limit, about: subject, members: [], answers: answers, handler: handler)
    }

    /// Declares a frame that clients send. By default, frames of the same type keep their order.
    /// - Parameters:
    ///   - body: The members.
    ///   - handler: Reads the members itself.
    public init<Body>(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject = .type, body: BodyFields<Body>,
        answers: [String] = [], handler: Handler
    ) {
        self.init(
            type, summary, limit: limit, about: subject, members: body.fields.properties, answers: answers, handler: handler)
    }

    /// Declares a frame that clients send and that is handled on the event loop; see `Handler.immediate`.
    /// - Parameters:
    ///   - body: The members.
    ///   - handle: Gets the members as they were read.
    public static func immediate<Body>(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject = .type, body: BodyFields<Body>,
        handle: @escaping @Sendable (Body, FrameCall) throws -> Void
    ) -> ClientFrame {
        ClientFrame(
            type, summary, limit: limit, about: subject, body: body,
            handler: .immediate { call in try handle(call.read(body), call) })
    }

    /// Declares a frame that clients send and that is handled concurrently; see `Handler.query`.
    /// - Parameters:
    ///   - body: The members.
    ///   - handle: Gets the members as they were read. Returns the answer, if there is one.
    public static func query<Body>(
        _ type: String, _ summary: String, limit: Limit, about subject: Subject = .type, body: BodyFields<Body>,
        answers: [String] = [], handle: @escaping @Sendable (Body, FrameCall) async throws -> [UInt8]?
    ) -> ClientFrame {
        ClientFrame(
            type, summary, limit: limit, about: subject, body: body, answers: answers,
            handler: .query { call in try await handle(call.read(body), call) })
    }

    /// The schema of the whole frame.
    package var schema: SchemaReference {
        Frame.schema(
            "Client", type, summary, [.optional("ref", .string(1...64), "Repeated in the answer or the error.")] + members)
    }
}

/// A frame that the server sends over the stream.
public struct ServerFrame: Sendable {
    /// Returns the current members of an event that is stored by reference. Nil means that its subject no longer exists; the
    /// event is then sent with `gone: true` as its only member.
    public typealias Render = @Sendable (UserEvent, UserID, SQLSession) throws -> [UInt8]?

    /// The frame's `type`.
    public let type: String
    /// One sentence without a full stop, for the AsyncAPI document.
    public let summary: String
    /// True for durable events: they have the user's next offset and are replayed after a reconnection.
    public let isNumbered: Bool
    /// The members besides `type` and, for numbered frames, `offset`.
    public let members: [Schema.Property]
    /// Renders events that are stored by reference; nil if all events store their members.
    public let render: Render?

    /// Declares a numbered, durable frame.
    /// - Parameters:
    ///   - members: The type whose fields are the members.
    ///   - required: The members that every frame has; nil: as the fields say.
    ///   - render: Renders the members of events that are stored without members.
    public static func numbered<Members: JSONObject>(
        _ type: String, _ summary: String, _ members: Members.Type, required: Set<String>? = nil, render: Render? = nil
    ) -> ServerFrame {
        ServerFrame(
            type: type, summary: summary, isNumbered: true,
            members: required.map { Members.fields.properties(required: $0) } ?? Members.fields.properties, render: render)
    }

    /// Declares a frame that is sent once and not stored.
    /// - Parameter members: The type whose fields are the members.
    public static func unnumbered<Members: JSONObject>(
        _ type: String, _ summary: String, _ members: Members.Type
    ) -> ServerFrame {
        ServerFrame(
            type: type, summary: summary, isNumbered: false, members: Members.fields.properties, render: nil)
    }

    /// The schema of the whole frame.
    package var schema: SchemaReference {
        let offset: [Schema.Property] =
            isNumbered ? [.required("offset", .integer(1...Int.max), "The number of the event among the user's.")] : []
        return Frame.schema("Server", type, summary, offset + members)
    }
}

/// One frame of a client as a module sees it: from a signed-in user, within the rate limit, a JSON object.
public struct FrameCall: Sendable {
    /// The connection that sent the frame.
    public let connection: any StreamConnection
    /// When the frame arrived.
    public let now: Timestamp
    /// The client's `ref`, repeated in error frames; nil if the frame has none.
    public let reference: String?
    private let object: JSONValue

    package init(connection: any StreamConnection, now: Timestamp, reference: String?, object: JSONValue) {
        self.connection = connection
        self.now = now
        self.reference = reference
        self.object = object
    }

    /// The frame without members that are null, which count as absent.
    private var present: JSONValue {
        guard case .object(let members) = object, members.contains(where: \.value.isNull) else { return object }
        return .object(members.filter { !$0.value.isNull })
    }

    /// The user who sent the frame.
    public var user: UserID { connection.principal.user }

    /// Reads the frame's members. Null counts as absent. Unknown members are ignored, because newer clients may send more.
    /// - Throws: `InvalidInput` with every mistake in the members.
    public func read<Body>(_ body: BodyFields<Body>) throws(InvalidInput) -> Body {
        var reader = try ObjectReader(present)
        let value = body.read(from: &reader)
        try reader.finishAllowingUnknown()
        guard let value else { throw .refused([]) }
        return value
    }

    /// The value of a string member, even if the rest of the frame is invalid; nil if there is none.
    public func string(_ key: String) -> String? { object[key]?.string }

    /// Sends an error frame to the device.
    public func refuse(_ error: any ClientError) {
        connection.send(Frame.error(error, reference: reference))
    }
}

/// Encodes frames.
public enum Frame {
    /// A complete frame: `type` and the members that the closure writes.
    public static func bytes(_ type: String, capacity: Int = 128, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object { writer in
            writer.field("type", type)
            members(&writer)
        }
        return writer.bytes
    }

    /// A complete frame: `type` and the fields of a value.
    public static func bytes<Value: JSONObject>(_ type: String, _ value: Value, capacity: Int = 128) -> [UInt8] {
        bytes(type, capacity: capacity) { Value.fields.writeMembers(of: value, to: &$0) }
    }

    /// The members of a numbered event: the fields of a value, without the outer braces.
    public static func members<Value: JSONObject>(of value: Value, capacity: Int = 128) -> [UInt8] {
        members(capacity: capacity) { Value.fields.writeMembers(of: value, to: &$0) }
    }

    /// The members of a numbered event, without the outer braces.
    public static func members(capacity: Int = 128, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.object { members(&$0) }
        return Array(writer.bytes.dropFirst().dropLast())
    }

    /// A numbered event with its offset.
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

    /// The frame that refuses a message: `nack`, with the client's id of the message and the error.
    public static func nack(clientID: String, _ error: any ClientError) -> [UInt8] {
        bytes("nack", Nack(clientID: clientID, error: error))
    }

    /// The frame that reports a mistake in a client's frame: `error`, with at most 8 violations.
    public static func error(_ error: any ClientError, reference: String?) -> [UInt8] {
        bytes("error", FrameFault(error: error, reference: reference))
    }

    /// The schema of a frame under the name that follows from its direction and its type: `ServerMessageEditedFrame`.
    fileprivate static func schema(
        _ direction: String, _ type: String, _ summary: String, _ members: [Schema.Property]
    ) -> SchemaReference {
        let words = type.split { $0 == "." || $0 == "_" }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return SchemaReference(
            "\(direction)\(words.joined())Frame",
            .object([.required("type", .constant(type))] + members).described("\(summary)."))
    }
}

/// The members of a `nack` frame.
public struct Nack: JSONObject {
    let clientID: String
    let error: any ClientError

    /// The members in their order.
    public static let fields = Fields<Nack>("Nack", "A message is not stored.") {
        Field("client_id", \.clientID, .string(1...64), "The client's id of the message.")
        Field("code", \.error.code, .string.example("chat.gone"), "Stable and machine-readable.")
        Field("temporary", \.error.isTemporary, "True if the same message may be accepted later.")
        Field(
            optional: "retry_after", { $0.error.retryAfter.map { max(1, $0.roundedUpSeconds) } }, .integer(1...Int.max),
            "Seconds to wait.")
        Field(optional: "errors", \.error.shownViolations, "The refused parts of the message, at most 8.")
    }
}

/// The members of an `error` frame.
public struct FrameFault: JSONObject {
    let error: any ClientError
    let reference: String?

    /// The members in their order.
    public static let fields = Fields<FrameFault>("FrameFault", "What was wrong with a frame.") {
        Field("code", \.error.code, .string.example("request.invalid"), "Stable and machine-readable.")
        Field("detail", \.error.detail, .string.example("Some values were refused; see errors."), "For people.")
        Field("temporary", \.error.isTemporary, "True if the same frame may be accepted later.")
        Field(optional: "retry_after", \.error.retryAfter?.roundedUpSeconds, .integer(0...Int.max), "Seconds to wait.")
        Field(optional: "ref", \.reference, .string(0...64), "As the client sent it.")
        Field(optional: "errors", \.error.shownViolations, "The refused parts of the frame, at most 8.")
    }
}

extension ClientError {
    /// The refused parts that a frame names; nil when there is none.
    fileprivate var shownViolations: [Violation]? { violations.isEmpty ? nil : Array(violations.prefix(8)) }
}

/// The members of a `session.revoked` event.
public struct EndedSession: JSONObject {
    let session: SessionID

    /// Creates the members.
    public init(session: SessionID) { self.session = session }

    /// The members in their order.
    public static let fields = Fields<EndedSession>("EndedSession", "A session of the user was ended.") {
        Field("session", \.session)
    }
}
