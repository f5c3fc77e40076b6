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
    /// Ends the waiting for connections on a socket of another program; nil for an own one, which is shut down instead.
    private let waker: SocketWaker?

    /// Takes over a socket that another program opened and still has. It is never shut down: connections that come after this
    /// process wait in its queue for the next one.
    /// - Throws: `IOError`.
    init(_ inherited: InheritedSocket) throws {
        let flags = fcntl(inherited.descriptor, F_GETFL)
        guard flags >= 0 else { throw IOError(errnoCode: errno, reason: "fcntl") }
        // Another process may take the connection for which this one was woken.
        try Self.check("fcntl", fcntl(inherited.descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -1 : 0)
        self.waker = try SocketWaker()
        self.port = inherited.address.port
        self.descriptor = inherited.descriptor
    }

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
            self.waker = nil
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
        case EAGAIN: return waker?.wait(for: descriptor) == false ? .shut : .nothing
        default: return .nothing
        }
    }

    /// Wakes a thread that waits in `accept`, and accepts no further connection.
    func shut() {
        if let waker { return waker.wake() }
        _ = shutdown(descriptor, CInt(SHUT_RDWR))
    }

    /// Closes the socket; frees the port unless another program has the socket too. Call it once no thread is in `accept`.
    func end() {
        close(descriptor)
        waker?.end()
    }

    /// The address of a bound socket; nil if it has none of an IP network.
    static func name(of descriptor: CInt) -> ListenAddress? {
        var name = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard withAddress(&name, { getsockname(descriptor, $0, &size) }) == 0 else { return nil }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withAddress(&name) {
            getnameinfo($0, size, &text, socklen_t(text.count), nil, 0, CInt(NI_NUMERICHOST))
        }
        guard code == 0 else { return nil }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return ListenAddress(host: host, port: Int(port(of: name)))
    }

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
