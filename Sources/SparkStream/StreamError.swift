import SparkCore

/// The errors of the stream's gateway.
enum StreamError: ClientError {
    case originRefused
    case tooManyConnections
    case draining
    case helloFirst
    case helloTwice
    case unknownType
    case tooManyFrames(retryAfter: Int)
    case otherUser

    var code: String {
        switch self {
        case .originRefused: "stream.origin_refused"
        case .tooManyConnections: "stream.too_many_connections"
        case .draining: "stream.draining"
        case .helloFirst: "stream.hello_first"
        case .helloTwice: "stream.hello_twice"
        case .unknownType: "stream.unknown_type"
        case .tooManyFrames: "stream.rate_limited"
        case .otherUser: "stream.other_user"
        }
    }

    var status: Int {
        switch self {
        case .originRefused, .otherUser: 403
        case .tooManyConnections, .tooManyFrames: 429
        case .draining: 503
        case .helloFirst, .helloTwice, .unknownType: 400
        }
    }

    var detail: String {
        switch self {
        case .originRefused: "Pages of this origin may not connect."
        case .tooManyConnections: "There are too many connections already."
        case .draining: "The server is shutting down; reconnect in a moment."
        case .helloFirst: "The first frame must be hello."
        case .helloTwice: "The stream has already started."
        case .unknownType: "This type of frame does not exist."
        case .tooManyFrames: "Too many frames of this kind; wait."
        case .otherUser: "The token is another user's."
        }
    }

    var isTemporary: Bool {
        switch self {
        case .tooManyConnections, .draining, .tooManyFrames: true
        default: false
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .tooManyConnections: .seconds(30)
        case .draining: .seconds(2)
        case .tooManyFrames(let seconds): .seconds(seconds)
        default: nil
        }
    }
}
