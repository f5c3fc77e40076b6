import CSparkSystem
import Glibc

/// Sends datagrams to the sockets of other programs on this machine (unix(7)). Never waits.
package final class DatagramSocket: Sendable {
    private let descriptor: CInt

    /// - Parameter bufferBytes: how much may be under way; the system may allow less.
    package init(bufferBytes: CInt) {
        self.descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var bytes = bufferBytes
        _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { close(descriptor) }

    /// Sends bytes; if they are too many for a datagram, in a sealed file in memory.
    /// - Parameter path: of the receiver's socket.
    /// - Returns: 0, or an errno: EAGAIN if the receiver takes nothing at the moment.
    package func send(_ bytes: [UInt8], to path: String) -> CInt {
        let code = spark_send_datagram(descriptor, path, bytes, bytes.count)
        return code == EMSGSIZE ? spark_send_sealed(descriptor, path, bytes, bytes.count) : code
    }
}
