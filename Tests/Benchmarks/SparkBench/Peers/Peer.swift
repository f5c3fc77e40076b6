/// A cache server beside which Spark's is measured.
public struct Peer: Sendable {
    public let name: String
    let dialect: PeerDialect
    let path: String
    /// Whether to measure it with more data than its memory holds.
    let isOnDisk: Bool

    /// - Parameter path: of its socket.
    public init(name: String, dialect: PeerDialect, path: String, isOnDisk: Bool = false) {
        self.name = name
        self.dialect = dialect
        self.path = path
        self.isOnDisk = isOnDisk
    }

    /// Reads `redis=PATH`, `memcached=PATH` or `extstore=PATH`; nil for anything else.
    public init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "redis": self.init(name: parts[0], dialect: .redis, path: parts[1])
        case "memcached": self.init(name: parts[0], dialect: .memcached, path: parts[1])
        case "extstore": self.init(name: parts[0], dialect: .memcached, path: parts[1], isOnDisk: true)
        default: return nil
        }
    }

    func connect() throws -> PeerSocket { try PeerSocket(path: path) }
}
