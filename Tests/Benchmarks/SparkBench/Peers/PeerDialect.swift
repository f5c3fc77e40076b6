/// The protocol of a peer.
public enum PeerDialect: String, CaseIterable, Sendable {
    /// RESP.
    case redis
    /// The text protocol: `get` and `set`.
    case memcached

    func get(_ key: String) -> [UInt8] {
        switch self {
        case .redis: Array("*2\r\n$3\r\nGET\r\n$\(key.utf8.count)\r\n\(key)\r\n".utf8)
        case .memcached: Array("get \(key)\r\n".utf8)
        }
    }

    func put(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let head =
            switch self {
            case .redis: "*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(value.count)\r\n"
            case .memcached: "set \(key) 0 0 \(value.count)\r\n"
            }
        return Array(head.utf8) + value + Array("\r\n".utf8)
    }

    /// Reads the answer to one get.
    /// - Returns: whether there was a value.
    func readGet(_ socket: PeerSocket) throws -> Bool {
        let line = try socket.line()
        switch self {
        case .redis:
            guard line.first == UInt8(ascii: "$"), let length = Int(String(decoding: line.dropFirst(), as: UTF8.self)) else {
                throw PeerError("not an answer to GET")
            }
            guard length >= 0 else { return false }
            try socket.skip(length + 2)
            return true
        case .memcached:
            if line.elementsEqual("END".utf8) { return false }
            guard let word = line.split(separator: UInt8(ascii: " ")).last,
                let length = Int(String(decoding: word, as: UTF8.self))
            else { throw PeerError("not an answer to get") }
            try socket.skip(length + 2)
            guard try socket.line().elementsEqual("END".utf8) else { throw PeerError("not the end of an answer") }
            return true
        }
    }

    /// Reads the answer to one put.
    func readPut(_ socket: PeerSocket) throws {
        let line = try socket.line()
        guard line.elementsEqual((self == .redis ? "+OK" : "STORED").utf8) else {
            throw PeerError("not stored: \(String(decoding: line, as: UTF8.self))")
        }
    }
}
