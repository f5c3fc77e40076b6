import CSparkSystem
import Glibc
import NIOCore
import SparkCore

/// A listening TCP socket without a channel, so that connections can be inspected and refused before they cost a channel.
final class ListeningSocket: Sendable {
    /// The result of accept(2).
    enum Arrival {
        case connection(descriptor: CInt, peer: NetworkAddress?)
        /// The connection went away before it was accepted, or a signal arrived.
        case nothing
        /// No descriptor or no memory is left; the value is the error number.
        case exhausted(CInt)
        /// `shut` was called.
        case shut
    }

    /// The length of the system's queue of waiting connections; the system may allow less (net.core.somaxconn).
    private static let backlog: CInt = 4_096

    private let descriptor: CInt
    let port: Int

    /// - Throws: `IOError`, or the error of the host's name resolution.
    init(host: String, port: Int) throws {
        let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        do {
            var one: CInt = 1
            try Self.check(
                "setsockopt", setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size)))
            try Self.check("bind", address.withSockAddr { bind(descriptor, $0, socklen_t($1)) })
            try Self.check("listen", listen(descriptor, Self.backlog))
            var name = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            try Self.check("getsockname", Self.withAddress(&name) { getsockname(descriptor, $0, &size) })
            self.port = Int(Self.port(of: name))
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Waits for the next connection.
    func accept() -> Arrival {
        var peer = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let connection = Self.withAddress(&peer) { spark_accept(descriptor, $0, &size) }
        if connection >= 0 { return .connection(descriptor: connection, peer: Self.address(peer)) }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(errno)
        case EINVAL, EBADF, ENOTSOCK: return .shut
        default: return .nothing
        }
    }

    /// Wakes a thread that waits in `accept`, and accepts no further connection.
    func shut() { _ = shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// Closes the socket and frees the port. Call it once no thread is in `accept`.
    func end() { close(descriptor) }

    private static func check(_ call: String, _ result: CInt) throws {
        if result != 0 { throw IOError(errnoCode: errno, reason: call) }
    }

    private static func withAddress<Value>(
        _ storage: inout sockaddr_storage, _ body: (UnsafeMutablePointer<sockaddr>) -> Value
    ) -> Value {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    /// The bytes of a socket address: family (2), port (2), then IPv4 address (4), or flow (4) and IPv6 address (16); RFC 3493.
    private static func bytes(_ storage: sockaddr_storage) -> [UInt8] { withUnsafeBytes(of: storage) { Array($0.prefix(28)) } }

    private static func port(of storage: sockaddr_storage) -> UInt16 {
        let bytes = bytes(storage)
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    private static func address(_ storage: sockaddr_storage) -> NetworkAddress? {
        switch CInt(storage.ss_family) {
        case AF_INET: NetworkAddress(bytes: bytes(storage)[4..<8])
        case AF_INET6: NetworkAddress(bytes: bytes(storage)[8..<24])
        default: nil
        }
    }
}
