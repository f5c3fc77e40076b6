/// How the length of a request's body is given (RFC 9112, 6).
enum BodyFraming: Hashable, Sendable {
    case none
    case length(Int)
    case chunked
}

/// The body of one request: whether the client waits for `100 Continue`, and what happens to the rest of the body when the request
/// is answered before it has arrived. Pure.
struct BodyProgress: Sendable {
    /// What happens to the rest of a body.
    enum Rest: Hashable, Sendable {
        /// Nothing is left.
        case none
        /// So little is left that it is read and dropped, for a short time. The connection stays.
        case drain
        /// The connection ends with the answer.
        case close
    }

    /// The longest rest that is read for the sake of the connection.
    static let mostDrained = 64 * 1_024

    let framing: BodyFraming
    private(set) var received = 0
    private(set) var hasEnded = false
    /// Whether the client waits for `100 Continue` and has not received it.
    private(set) var awaitsContinue: Bool

    /// - Parameter expectsContinue: whether the head has `Expect: 100-continue`.
    init(_ framing: BodyFraming, expectsContinue: Bool) {
        self.framing = framing
        self.hasEnded = framing == .none
        self.awaitsContinue = expectsContinue && framing != .none && framing != .length(0)
    }

    /// Somebody wants to read the body.
    /// - Returns: whether to send `100 Continue` first. A client that is already sending does not need it (RFC 9110, 10.1.1).
    mutating func isWanted() -> Bool {
        defer { awaitsContinue = false }
        return awaitsContinue && received == 0 && !hasEnded
    }

    mutating func received(_ bytes: Int) {
        received += min(max(0, bytes), .max - received)
        awaitsContinue = false
    }

    mutating func ended() {
        hasEnded = true
        awaitsContinue = false
    }

    /// What happens to the rest when the answer begins now.
    var restAfterAnswer: Rest {
        if hasEnded { return .none }
        // A client that was not told to continue may leave the body out, so the next bytes could be either.
        if awaitsContinue { return .close }
        switch framing {
        case .none: return .none
        case .length(let length): return length - received <= Self.mostDrained ? .drain : .close
        case .chunked: return .close
        }
    }
}

/// The end of a connection whose client may still be sending. If the server closed at once, the unread bytes would cause a reset,
/// which can destroy the answer before the client reads it (RFC 9112, 9.6). So the server first closes only its sending side, then
/// drops what arrives until the client closes, within bounds of time and bytes. Pure.
struct LingeringEnd: Sendable {
    /// The bytes that are read and dropped. Further bytes stay unread until the time is over.
    static let mostBytes = 256 * 1_024
    /// How long the server waits for the client.
    static let longest = Duration.seconds(2)

    private var dropped = 0

    /// Whether to go on reading.
    var mayRead: Bool { dropped < Self.mostBytes }

    mutating func dropped(_ bytes: Int) { dropped += min(max(0, bytes), Self.mostBytes - dropped) }
}
