/// A cache server beside which Spark's is measured.
public struct Peer: Sendable {
    public let name: String
    let dialect: PeerDialect
    let path: String

    /// - Parameter path: of its socket.
    public init(name: String, dialect: PeerDialect, path: String) {
        self.name = name
        self.dialect = dialect
        self.path = path
    }

    func connect() throws -> PeerSocket { try PeerSocket(path: path) }
}
