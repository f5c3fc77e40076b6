import CSparkSystem
import Glibc

/// A listening socket that another program opened for this process.
package struct InheritedSocket: Sendable, Equatable {
    /// The one that listens on it closes it.
    package let descriptor: CInt
    /// Where it listens.
    package let address: ListenAddress

    /// Nil when the descriptor is no TCP socket that listens.
    package init?(descriptor: CInt) {
        guard spark_is_tcp_listener(descriptor) == 1, let address = ListeningSocket.name(of: descriptor) else { return nil }
        self.descriptor = descriptor
        self.address = address
    }
}
