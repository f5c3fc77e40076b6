/// One moment of a trace.
public struct TraceRequest: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// A user reads the entry.
        case read
        /// The content of the entry changed.
        case write
        /// The session of `user` begins, and this is one of the entries that it is expected to need.
        case sessionBegins
        /// The session of `user` has ended, and nobody else needs this entry of theirs.
        case sessionEnds
    }

    /// Milliseconds since the trace began; never falls.
    public var time: Int64
    public var kind: Kind
    /// The group of entries that `key` belongs to, as the trace numbers them; 0 where there is only one.
    public var namespace: UInt8
    /// In `0..<CacheTrace.objectCount`.
    public var key: UInt32
    /// Bytes of the value; the same for all requests of one key, so that every simulator can read the trace.
    public var size: UInt32
    /// The acting user; 0 if the trace has no users.
    public var user: UInt32

    public init(time: Int64, kind: Kind, namespace: UInt8 = 0, key: UInt32, size: UInt32, user: UInt32 = 0) {
        self.time = time
        self.kind = kind
        self.namespace = namespace
        self.key = key
        self.size = size
        self.user = user
    }
}

/// A sequence of requests to a cache, made from a seed: the same numbers give the same requests, and nothing is kept.
public protocol CacheTrace: Sendable {
    /// As the command line names it.
    var name: String { get }
    /// Keys are below this.
    var objectCount: Int { get }
    /// Bytes of the value of a key.
    func size(of key: Int) -> Int
    /// The requests from the beginning, in order.
    func requests() -> AnyIterator<TraceRequest>
}

extension CacheTrace {
    /// Bytes of all values together.
    public var footprint: Int { (0..<objectCount).reduce(0) { $0 + size(of: $1) } }

    /// The keys that are read, in order.
    public func readKeys() -> [UInt32] {
        var keys: [UInt32] = []
        for request in requests() where request.kind == .read { keys.append(request.key) }
        return keys
    }
}
