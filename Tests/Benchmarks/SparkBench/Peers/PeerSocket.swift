import Glibc

/// A fault of a measured peer.
public struct PeerError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// A blocking stream socket to a peer at a path of the file system.
final class PeerSocket {
    private let descriptor: Int32
    private var received = [UInt8](repeating: 0, count: 256 * 1_024)
    private var start = 0
    private var end = 0

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw PeerError("no socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw PeerError("path too long") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw PeerError("no server listens at \(path)") }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PeerError("the peer has gone") }
            sent += count
        }
    }

    /// The next line, without its CR LF.
    func line() throws -> ArraySlice<UInt8> {
        var scanned = start
        while true {
            while scanned + 1 < end {
                if received[scanned] == 13, received[scanned + 1] == 10 {
                    defer { start = scanned + 2 }
                    return received[start..<scanned]
                }
                scanned += 1
            }
            let consumed = scanned - start
            try receive()
            scanned = start + consumed
        }
    }

    /// Skips bytes of the answer.
    func skip(_ count: Int) throws {
        var left = count
        while left > end - start {
            left -= end - start
            start = end
            try receive()
        }
        start += left
    }

    private func receive() throws {
        if start > 0 {
            received.replaceSubrange(0..<end - start, with: received[start..<end])
            end -= start
            start = 0
        }
        guard end < received.count else { throw PeerError("an answer without an end") }
        while true {
            let count = received.withUnsafeMutableBytes { read(descriptor, $0.baseAddress?.advanced(by: end), $0.count - end) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PeerError("the peer has gone") }
            end += count
            return
        }
    }
}
